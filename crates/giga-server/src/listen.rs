//! The connections of a server: how many there are at most, and how long one may stay silent.
//!
//! A connection costs an open file, and engines and the store need some too: without a bound, anyone of the machine could
//! take them all without a token. What is asked on a connection is no matter of this module.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration as Wait;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::signs::Signs;

/// A connection on which no whole head of a request comes for so long is closed.
const HEAD: Wait = Wait::from_secs(10);
/// How long it waits where the system has no more files to give.
const REST: Wait = Wait::from_millis(200);

/// Serves for ever. Where `most` connections are open, others wait for one of them to end.
pub(crate) async fn serve(listener: TcpListener, router: Router, most: usize, signs: Arc<Signs>) {
    let room = Arc::new(Semaphore::new(most));
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    loop {
        let place = Arc::clone(&room).acquire_owned().await.expect("nobody closes it");
        let stream = accept(&listener).await;
        drop(stream.set_nodelay(true));
        let connection = http.serve_connection(TokioIo::new(stream), service.clone());
        let signs = Arc::clone(&signs);
        signs.connections.up();
        tokio::spawn(async move {
            // A client that breaks off is no fault of ours.
            drop(connection.await);
            signs.connections.down();
            drop(place);
        });
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client left before it was let in.
            Err(error) if is_clients(error.kind()) => {}
            Err(error) => {
                tracing::error!(cause = %error, "no connection can be taken");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

fn is_clients(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
