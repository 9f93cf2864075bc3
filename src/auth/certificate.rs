//! Certificates: PEM and PKCS#12 files, and the assertion signed with their key.
//!
//! Promises that the key is RSA with at least 2048 bits and belongs to the certificate, and that neither
//! key nor password can be printed. This is the only file that knows PKCS#12 and X.509.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Digest as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::error::{AuthError, CertificateProblem};
use crate::graph::later;

/// How long an assertion is valid: Entra takes 5 to 10 minutes.
const VALID: Duration = Duration::from_mins(10);
/// Entra refuses shorter keys.
const LEAST_BITS: usize = 2048;

/// A certificate with its private key, ready to sign.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<EncodingKey>,
    /// DER; the certificate itself first, then its issuers as far as the file has them.
    chain: Vec<Vec<u8>>,
    thumbprints: Thumbprints,
    not_after: Timestamp,
    send_chain: bool,
}

/// Digests of a certificate's DER form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbprints {
    /// SHA-1 in upper case hex, as the Entra admin center shows it.
    pub sha1: String,
    /// SHA-256 in upper case hex.
    pub sha256: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: i64,
    iat: i64,
    exp: i64,
}

/// What a file holds, in its order: RSA keys as PKCS#1, certificates as DER.
#[derive(Default)]
struct Contents {
    keys: Vec<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
}

impl Certificate {
    /// Reads a file; see [`Certificate::from_bytes`].
    pub fn from_file(path: &Path, password: Option<&SecretString>) -> Result<Self, AuthError> {
        let at = |problem| AuthError::Certificate {
            file: path.to_path_buf(),
            problem,
        };
        let bytes = std::fs::read(path)
            .map_err(|error| at(CertificateProblem::Unreadable(error.kind())))?;
        Self::from_bytes(&bytes, password).map_err(at)
    }

    /// Reads PEM (certificate and key, in any order) or PKCS#12; the content says which it is.
    ///
    /// When several keys have a certificate, the one that is valid longest is taken.
    pub fn from_bytes(
        bytes: &[u8],
        password: Option<&SecretString>,
    ) -> Result<Self, CertificateProblem> {
        let pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
        let contents = if pem {
            read_pem(bytes, password)?
        } else {
            read_pkcs12(bytes, password)?
        };
        if contents.keys.is_empty() {
            return Err(CertificateProblem::NoKey);
        }
        if contents.certificates.is_empty() {
            return Err(CertificateProblem::NoCertificate);
        }
        let mut pairs = Vec::new();
        let mut problem = CertificateProblem::NoMatch;
        for der in &contents.certificates {
            for key in &contents.keys {
                match pair(der, key) {
                    Ok((key, not_after)) => pairs.push((not_after, key, der)),
                    Err(CertificateProblem::NoMatch) => {}
                    Err(other) => problem = other,
                }
            }
        }
        // `max_by_key` takes the last of equals; reversed, the first in the file wins.
        let (not_after, key, leaf) = pairs
            .into_iter()
            .rev()
            .max_by_key(|(not_after, ..)| *not_after)
            .ok_or(problem)?;
        Ok(Self {
            key: Arc::new(key),
            thumbprints: Thumbprints::of(leaf),
            chain: chain(leaf, &contents.certificates),
            not_after,
            send_chain: false,
        })
    }

    /// Sends the chain with each assertion (`x5c`), for applications that trust a subject name and issuer.
    #[must_use]
    pub fn sending_chain(mut self, send: bool) -> Self {
        self.send_chain = send;
        self
    }

    /// Digests by which the registration in Entra can be compared.
    pub fn thumbprints(&self) -> &Thumbprints {
        &self.thumbprints
    }

    /// When the certificate expires.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// A signed statement that we are `client_id`, for one request to `audience` (the token endpoint).
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<SecretString, AuthError> {
        let leaf = self.chain.first().map(Vec::as_slice).unwrap_or_default();
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(leaf)));
        if self.send_chain {
            header.x5c = Some(self.chain.iter().map(|der| STANDARD.encode(der)).collect());
        }
        let claims = Claims {
            aud: audience,
            iss: client_id,
            sub: client_id,
            jti: uuid::Uuid::new_v4().to_string(),
            nbf: now.as_second(),
            iat: now.as_second(),
            exp: later(now, VALID).as_second(),
        };
        jsonwebtoken::encode(&header, &claims, &self.key)
            .map(SecretString::from)
            .map_err(|_| AuthError::Signing)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("sha1", &self.thumbprints.sha1)
            .finish_non_exhaustive()
    }
}

impl Thumbprints {
    fn of(der: &[u8]) -> Self {
        Self {
            sha1: hex(&sha1::Sha1::digest(der)),
            sha256: hex(&sha2::Sha256::digest(der)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// The signing key, if it belongs to the certificate: what it signs verifies with the certificate's public key.
fn pair(certificate: &[u8], key: &[u8]) -> Result<(EncodingKey, Timestamp), CertificateProblem> {
    const PROBE: &[u8] = b"m365audit";
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|_| CertificateProblem::Damaged)?;
    let Ok(PublicKey::RSA(public)) = parsed.public_key().parsed() else {
        return Err(CertificateProblem::NotRsa);
    };
    let modulus = unsigned(public.modulus);
    let bits = modulus.first().map_or(0, |first| {
        modulus.len() * 8 - first.leading_zeros() as usize
    });
    let verifying = DecodingKey::from_rsa_raw_components(modulus, unsigned(public.exponent));
    let signing = EncodingKey::from_rsa_der(key);
    let verified =
        jsonwebtoken::crypto::sign(PROBE, &signing, Algorithm::PS256).and_then(|signature| {
            jsonwebtoken::crypto::verify(&signature, PROBE, &verifying, Algorithm::PS256)
        });
    if bits < LEAST_BITS {
        // The crypto library refuses short keys before they can be compared.
        return Err(CertificateProblem::TooShort { bits });
    }
    match verified {
        Ok(true) => {
            let not_after = Timestamp::from_second(parsed.validity().not_after.timestamp())
                .unwrap_or(Timestamp::MAX);
            Ok((signing, not_after))
        }
        _ => Err(CertificateProblem::NoMatch),
    }
}

/// A DER integer without its sign byte.
fn unsigned(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The certificate and its issuers, leaf first.
fn chain(leaf: &[u8], all: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut chain = vec![leaf.to_vec()];
    while let Some(last) = chain.last() {
        let Ok((_, last)) = X509Certificate::from_der(last) else {
            break;
        };
        let issuer = all.iter().find(|der| {
            !chain.contains(der)
                && X509Certificate::from_der(der)
                    .is_ok_and(|(_, der)| der.subject().as_raw() == last.issuer().as_raw())
        });
        match issuer {
            Some(issuer) if last.subject().as_raw() != last.issuer().as_raw() => {
                chain.push(issuer.clone());
            }
            _ => break,
        }
    }
    chain
}

fn read_pem(bytes: &[u8], password: Option<&SecretString>) -> Result<Contents, CertificateProblem> {
    if bytes
        .windows(22)
        .any(|window| window == b"Proc-Type: 4,ENCRYPTED")
    {
        return Err(CertificateProblem::OldEncryption);
    }
    let mut contents = Contents::default();
    let mut foreign_key = false;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        let (kind, der) = section.map_err(|_| CertificateProblem::Damaged)?;
        match kind {
            SectionKind::Certificate => contents.certificates.push(der),
            SectionKind::RsaPrivateKey => contents.keys.push(der),
            SectionKind::PrivateKey => match pkcs1(&der)? {
                Some(key) => contents.keys.push(key),
                None => foreign_key = true,
            },
            SectionKind::EcPrivateKey => foreign_key = true,
            _ => {}
        }
    }
    for der in encrypted_sections(bytes)? {
        match pkcs1(&decrypt(&der, password)?)? {
            Some(key) => contents.keys.push(key),
            None => foreign_key = true,
        }
    }
    if contents.keys.is_empty() && foreign_key {
        return Err(CertificateProblem::NotRsa);
    }
    Ok(contents)
}

/// The bodies of `ENCRYPTED PRIVATE KEY` sections, which the PEM reader does not know.
fn encrypted_sections(bytes: &[u8]) -> Result<Vec<Vec<u8>>, CertificateProblem> {
    let text = String::from_utf8_lossy(bytes);
    let mut sections = Vec::new();
    for part in text.split("-----BEGIN ENCRYPTED PRIVATE KEY-----").skip(1) {
        let body = part
            .split("-----END ENCRYPTED PRIVATE KEY-----")
            .next()
            .unwrap_or_default();
        let base64: String = body.split_whitespace().collect();
        sections.push(
            STANDARD
                .decode(base64)
                .map_err(|_| CertificateProblem::Damaged)?,
        );
    }
    Ok(sections)
}

fn decrypt(der: &[u8], password: Option<&SecretString>) -> Result<Vec<u8>, CertificateProblem> {
    let info =
        EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| CertificateProblem::OldEncryption)?;
    let password = password.ok_or(CertificateProblem::PasswordNeeded)?;
    if info.encryption_algorithm.pbes2().is_none() {
        return Err(CertificateProblem::OldEncryption);
    }
    let key = info
        .decrypt(password.expose_secret())
        .map_err(|_| CertificateProblem::WrongPassword)?;
    Ok(key.as_bytes().to_vec())
}

/// The RSA key inside PKCS#8; `None` for a key of another kind. The signing library wants PKCS#1.
fn pkcs1(der: &[u8]) -> Result<Option<Vec<u8>>, CertificateProblem> {
    const RSA: pkcs8::ObjectIdentifier =
        pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| CertificateProblem::Damaged)?;
    Ok((info.algorithm.oid == RSA).then(|| info.private_key.as_bytes().to_vec()))
}

fn read_pkcs12(
    bytes: &[u8],
    password: Option<&SecretString>,
) -> Result<Contents, CertificateProblem> {
    use p12_keystore::{Pkcs12Archive, error::Error};

    let given = password.map_or("", |password| password.expose_secret());
    let archive = Pkcs12Archive::from_pkcs12(bytes, given).map_err(|error| match error {
        Error::MacError(_) if password.is_none() => CertificateProblem::PasswordNeeded,
        Error::MacError(_) => CertificateProblem::WrongPassword,
        Error::UnsupportedMacAlgorithm | Error::UnsupportedEncryptionScheme => {
            CertificateProblem::OldEncryption
        }
        _ => CertificateProblem::UnknownFormat,
    })?;
    let mut contents = Contents::default();
    let mut foreign_key = false;
    for bag in &archive.keys {
        match pkcs1(bag.key.as_der())? {
            Some(key) => contents.keys.push(key),
            None => foreign_key = true,
        }
    }
    if contents.keys.is_empty() && foreign_key {
        return Err(CertificateProblem::NotRsa);
    }
    contents.certificates = archive
        .certs
        .iter()
        .map(|bag| bag.cert.as_der().to_vec())
        .collect();
    Ok(contents)
}
