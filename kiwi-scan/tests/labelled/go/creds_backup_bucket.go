package backup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	accessKeyID     = "AKIAQ3EGX7LMZP5TW2VD"
	secretAccessKey = "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"
)

func NewClient(ctx context.Context) (*s3.Client, error) {
	provider := credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, "")
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion("eu-central-1"),
		config.WithCredentialsProvider(provider))
	if err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg), nil
}
