//! The emulator behind TLS, with a certificate made for the occasion.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::Version;
use axum::middleware::{self, Next};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A listener on loopback.
pub struct Tls {
    /// `https://127.0.0.1:{port}`.
    pub root: String,
    /// Its certificate, PEM.
    pub certificate: String,
    /// The HTTP version of every request that came.
    pub versions: Arc<Mutex<Vec<Version>>>,
}

/// A certificate for 127.0.0.1 that nobody knows: PEM and key.
pub fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap()
}

/// Serves the router on the current runtime.
pub async fn serve(router: Router) -> Tls {
    let made = certificate();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("https://{}", tcp.local_addr().unwrap());
    let versions = Arc::<Mutex<Vec<Version>>>::default();
    let seen = Arc::clone(&versions);
    let router = router.layer(middleware::from_fn(move |request: Request, next: Next| {
        seen.lock().unwrap().push(request.version());
        next.run(request)
    }));
    tokio::spawn(async move {
        let service = TowerToHyperService::new(router);
        while let Ok((stream, _)) = tcp.accept().await {
            let (acceptor, service) = (acceptor.clone(), service.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let builder = Builder::new(TokioExecutor::new());
                    let _ = builder
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                }
            });
        }
    });
    Tls {
        root,
        certificate: made.cert.pem(),
        versions,
    }
}
