// Verdicts of Go's crypto/x509 on TLS clients.
//
// Standard input has a case a line, separated by tabs: name, chain (leaf first), key, root, and the CRL
// of the leaf's issuer or "-". Standard output has a line for each: name, "accept" or "refuse", and what
// Go said. Verify does not look at CRLs, so neither does this.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"strings"
)

func readChain(path string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return chain, nil
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
}

func judge(chainPath, rootPath string) error {
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	trusted, err := readChain(rootPath)
	if err != nil {
		return err
	}
	for _, root := range trusted {
		roots.AddCert(root)
	}
	chain, err := readChain(chainPath)
	if err != nil {
		return err
	}
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

func main() {
	cases := bufio.NewScanner(os.Stdin)
	for cases.Scan() {
		fields := strings.Split(cases.Text(), "\t")
		if len(fields) != 5 {
			log.Fatalf("not a case: %s", cases.Text())
		}
		if err := judge(fields[1], fields[3]); err != nil {
			fmt.Printf("%s\trefuse\t%s\n", fields[0], err)
		} else {
			fmt.Printf("%s\taccept\t\n", fields[0])
		}
	}
}
