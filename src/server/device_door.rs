//! The doors of devices over HTTP: one path is for bulk data, everything else for
//! sessions.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};

use crate::acs::Acs;
use crate::collect::Bulk;
use crate::http::{Body, Handler, Peer};

/// What stands behind a CWMP door.
pub(super) struct DeviceDoor {
    pub(super) acs: Arc<Acs>,
    pub(super) bulk: Bulk,
}

impl Handler for DeviceDoor {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        if self.bulk.takes(request.uri().path()) {
            self.bulk.answer(&peer, request).await
        } else {
            self.acs.handle(peer, request).await
        }
    }

    fn closed(&self, connection: u64) {
        self.acs.closed(connection);
    }
}
