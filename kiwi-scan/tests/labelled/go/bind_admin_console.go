package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
)

func serve(conn net.Conn) {
	defer conn.Close()
	sc := bufio.NewScanner(conn)
	for sc.Scan() {
		switch sc.Text() {
		case "flush":
			fmt.Fprintln(conn, os.RemoveAll("/var/cache/shop") == nil)
		case "stop":
			os.Exit(0)
		}
	}
}

func main() {
	ln, err := net.Listen("tcp", "0.0.0.0:9901")
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			continue
		}
		go serve(conn)
	}
}
