package vault

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/rand"
	"io"
)

type Vault struct {
	key []byte
}

func (v *Vault) Seal(number []byte) ([]byte, error) {
	block, err := des.NewTripleDESCipher(v.key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, des.BlockSize+len(number))
	iv := out[:des.BlockSize]
	if _, err := io.ReadFull(rand.Reader, iv); err != nil {
		return nil, err
	}
	cipher.NewCTR(block, iv).XORKeyStream(out[des.BlockSize:], number)
	return out, nil
}
