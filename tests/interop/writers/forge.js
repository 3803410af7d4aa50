// forge.js KIND CN: a certificate request by node-forge, on standard output. node-forge makes
// requests by RSA keys alone.
'use strict';
const forge = require('node-forge');
const [kind, cn] = process.argv.slice(2);

const keys = forge.pki.rsa.generateKeyPair({bits: kind === 'rsa-1024' ? 1024 : 2048});
const request = forge.pki.createCertificationRequest();
request.publicKey = keys.publicKey;
request.setSubject([{name: 'commonName', value: cn}]);

const extensions = {
    ext: [{name: 'keyUsage', digitalSignature: true}, {name: 'extKeyUsage', clientAuth: true}],
    server: [{name: 'extKeyUsage', serverAuth: true}],
}[kind];
const attributes = [];
if (kind === 'challenge')
    attributes.push({name: 'challengePassword', value: 'a challenge'});
if (extensions !== undefined)
    attributes.push({name: 'extensionRequest', extensions});
if (attributes.length > 0)
    request.setAttributes(attributes);

const digest = {sha1: forge.md.sha1, md5: forge.md.md5, sha512: forge.md.sha512}[kind] || forge.md.sha256;
request.sign(keys.privateKey, digest.create());
process.stdout.write(forge.pki.certificationRequestToPem(request));
