package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"sync/atomic"
)

var requests atomic.Int64

func serve(conn net.Conn) {
	defer conn.Close()
	sc := bufio.NewScanner(conn)
	for sc.Scan() {
		requests.Add(1)
		if sc.Text() == "count" {
			fmt.Fprintln(conn, requests.Load())
		}
	}
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:9902")
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
