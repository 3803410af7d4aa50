// Verdicts of node's tls on TLS clients, each by a handshake on loopback.
//
// Standard input has a case a line, separated by tabs: name, chain (leaf first), key, root, and the CRL
// of the leaf's issuer or "-". Standard output has a line for each: name, "accept" or "refuse", and what
// node said. Arguments: the server's own certificate and key.
//
// A CRL needs those of all issuers in the chain, so the file may hold several.
'use strict';
const fs = require('fs');
const readline = require('readline');
const tls = require('tls');

const own = { cert: fs.readFileSync(process.argv[2]), key: fs.readFileSync(process.argv[3]) };

function serverOptions(root, crl) {
    const options = { ...own, ca: fs.readFileSync(root), requestCert: true, rejectUnauthorized: false };
    if (crl !== '-') {
        options.crl = fs.readFileSync(crl, 'utf8').split(/(?<=-----END X509 CRL-----\n)/);
    }
    return options;
}

function judge([, chain, key, root, crl]) {
    return new Promise((resolve, reject) => {
        const server = tls.createServer(serverOptions(root, crl), (peer) => {
            resolve(peer.authorized ? 'accept\t' : `refuse\t${peer.authorizationError}`);
            peer.destroy();
            server.close();
        });
        server.on('tlsClientError', (error) => {
            resolve(`refuse\t${error.message.split('\n')[0]}`);
            server.close();
        });
        server.listen(0, '127.0.0.1', () => {
            const client = tls.connect({
                port: server.address().port,
                host: '127.0.0.1',
                cert: fs.readFileSync(chain),
                key: fs.readFileSync(key),
                rejectUnauthorized: false, // only the client is judged here
            });
            client.on('error', () => {}); // the server tells
        });
        server.on('error', reject);
    });
}

(async () => {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const fields = line.split('\t');
        console.log(`${fields[0]}\t${await judge(fields)}`);
    }
})();
