//! Verdicts of rustls' `WebPkiClientVerifier`, each by a whole TLS handshake in memory.
//!
//! Standard input has a case a line, separated by tabs: name, chain (leaf first), key, root, and
//! the CRL of the leaf's issuer or `-`. Standard output has a line for each: name,
//! `accept` or `refuse`, and what rustls said.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};
use std::error::Error as AnyError;
use std::io::BufRead;
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn AnyError>>;

struct Case<'a> {
    chain: &'a str,
    key: &'a str,
    root: &'a str,
    crl: &'a str,
}

/// The client takes any server: only the server's judgement of the client is asked for here.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn chain_of(path: &str) -> Outcome<Vec<CertificateDer<'static>>> {
    Ok(CertificateDer::pem_file_iter(path)?.collect::<Result<_, _>>()?)
}

fn server(case: &Case, own: &(String, String)) -> Outcome<ServerConnection> {
    let mut roots = RootCertStore::empty();
    for root in chain_of(case.root)? {
        roots.add(root)?;
    }
    let mut verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
    if case.crl != "-" {
        verifier = verifier
            .with_crls([CertificateRevocationListDer::from_pem_file(case.crl)?])
            .only_check_end_entity_revocation();
    }
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier.build()?)
        .with_single_cert(chain_of(&own.0)?, PrivateKeyDer::from_pem_file(&own.1)?)?;
    Ok(ServerConnection::new(Arc::new(config))?)
}

fn client(case: &Case) -> Outcome<ClientConnection> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_client_auth_cert(chain_of(case.chain)?, PrivateKeyDer::from_pem_file(case.key)?)?;
    Ok(ClientConnection::new(
        Arc::new(config),
        ServerName::try_from("localhost")?,
    )?)
}

/// Carries records between the two until neither has more to say; the server's verdict.
fn shake_hands(client: &mut ClientConnection, server: &mut ServerConnection) -> Outcome<()> {
    while client.wants_write() || server.wants_write() {
        let mut records = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut records)?;
        }
        let mut unread = records.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread)?;
            server.process_new_packets()?;
        }
        records.clear();
        while server.wants_write() {
            server.write_tls(&mut records)?;
        }
        unread = records.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread)?;
            client.process_new_packets()?;
        }
    }
    if server.is_handshaking() || server.peer_certificates().is_none() {
        return Err("the handshake did not end".into());
    }
    Ok(())
}

fn judge(case: &Case, own: &(String, String)) -> Outcome<()> {
    shake_hands(&mut client(case)?, &mut server(case, own)?)
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let own = match (arguments.next(), arguments.next()) {
        (Some(certificate), Some(key)) => (certificate, key),
        _ => return Err("usage: verify-rustls SERVER-CERTIFICATE SERVER-KEY <CASES".into()),
    };

    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, chain, key, root, crl] = fields[..] else {
            return Err(format!("not a case: {line}").into());
        };
        match judge(&Case { chain, key, root, crl }, &own) {
            Ok(()) => println!("{name}\taccept\t"),
            Err(cause) => println!("{name}\trefuse\t{cause}"),
        }
    }
    Ok(())
}
