//! The real thing in small: TLS, HTTP/2 and compression against a listener with a certificate of its own.

use axum::Router;
use axum::http::{Version, header};
use axum::response::IntoResponse;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use m365audit::graph::http::NetworkProblem;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// Says which HTTP version it was asked in, compressed.
async fn version(version: Version) -> impl IntoResponse {
    use std::io::Write as _;
    let mut body = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let version = if version == Version::HTTP_2 {
        "2"
    } else {
        "older"
    };
    write!(body, r#"{{"version": "{version}"}}"#).unwrap();
    let headers = [
        (header::CONTENT_ENCODING, "gzip"),
        (header::CONTENT_TYPE, "application/json"),
    ];
    (headers, body.finish().unwrap())
}

/// A TLS listener; its address and its certificate.
async fn listener() -> (String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("https://{}", tcp.local_addr().unwrap());
    tokio::spawn(async move {
        let service = TowerToHyperService::new(Router::new().fallback(version));
        while let Ok((stream, _)) = tcp.accept().await {
            let (tls, service) = (tls.clone(), service.clone());
            tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                }
            });
        }
    });
    (root, certificate)
}

#[tokio::test]
async fn http2_over_tls_and_no_stranger() {
    let (root, certificate) = listener().await;
    let root = http::root(&root).unwrap();
    let get = async |http| {
        let (clock, tokens) = (FakeClock::new(), Arc::new(Tokens::default()));
        let client = GraphClient::new(http, root.clone(), tokens, clock, Pace::fast()).unwrap();
        client.get(&users()).await
    };
    let known = reqwest::Certificate::from_der(&certificate).unwrap();
    let trusting = http::builder(&[&root])
        .tls_certs_merge([known])
        .build()
        .unwrap();
    let answer = get(trusting).await.unwrap();
    assert_eq!(answer.parse::<serde_json::Value>().unwrap()["version"], "2");

    match get(http::client(&[&root]).unwrap()).await.unwrap_err() {
        GraphError::Network { problem, tries, .. } => {
            assert_eq!((problem, tries), (NetworkProblem::Tls, 3));
        }
        error => panic!("{error}"),
    }
}
