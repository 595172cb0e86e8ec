//! Lies: a service that is written against the contract alone, for the SDK keeps its drivers honest.

pub(crate) mod calls;
pub(crate) mod parts;

use std::{io, pin::Pin, process::exit, thread};

use futures::{Stream, StreamExt as _, stream};
use querybox_plugin::pb::{
    self,
    driver_service_server::{DriverService, DriverServiceServer},
};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    socket::{standard_input, wait_until_closed},
    wish::Wish,
};

/// Serves until the socket closes.
pub(crate) fn serve(wish: Wish) -> io::Result<()> {
    let socket = standard_input()?;
    let watched = socket.try_clone()?;
    thread::spawn(move || {
        // Who has no parent left needs no reason to go.
        wait_until_closed(&watched).ok();
        exit(0);
    });
    socket.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = tokio::net::UnixStream::from_std(socket)?;
        // One connection, and then none: an iterator that ended would end the server at once.
        let incoming = stream::iter([Ok::<_, io::Error>(socket)]).chain(stream::pending());
        Server::builder()
            .add_service(DriverServiceServer::new(Liar { wish }))
            .serve_with_incoming(incoming)
            .await
            .map_err(io::Error::other)
    })
}

/// Answers each call at once, whatever session it names.
struct Liar {
    wish: Wish,
}

pub(crate) type Parts<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl DriverService for Liar {
    type ExecuteStream = Parts<pb::ExecuteResponse>;
    type GetSchemaStream = Parts<pb::GetSchemaResponse>;
    type GetDdlStream = Parts<pb::GetDdlResponse>;
    type WatchSessionStream = Parts<pb::WatchSessionResponse>;
    type TestConnectionStream = Parts<pb::TestConnectionResponse>;

    async fn open(&self, _: Request<pb::OpenRequest>) -> Result<Response<pb::OpenResponse>, Status> {
        calls::open(self.wish).map(Response::new)
    }

    async fn execute(&self, _: Request<pb::ExecuteRequest>) -> Result<Response<Self::ExecuteStream>, Status> {
        let Wish::Parts(lie) = self.wish else {
            // Something to cancel.
            return Ok(Response::new(Box::pin(stream::pending())));
        };
        let parts = parts::parts(lie).into_iter();
        Ok(Response::new(Box::pin(stream::iter(parts.map(|part| Ok(pb::ExecuteResponse { part }))))))
    }

    async fn get_schema(
        &self,
        _: Request<pb::GetSchemaRequest>,
    ) -> Result<Response<Self::GetSchemaStream>, Status> {
        Ok(Response::new(calls::schema(self.wish)))
    }

    async fn send_copy_data(
        &self,
        _: Request<pb::SendCopyDataRequest>,
    ) -> Result<Response<pb::SendCopyDataResponse>, Status> {
        Err(Status::unimplemented("nothing here asks for data"))
    }

    async fn watch_session(
        &self,
        _: Request<pb::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        Err(Status::unimplemented("nothing happens here"))
    }

    async fn get_ddl(&self, _: Request<pb::GetDdlRequest>) -> Result<Response<Self::GetDdlStream>, Status> {
        Ok(Response::new(calls::ddl(self.wish)))
    }

    async fn cancel(&self, _: Request<pb::CancelRequest>) -> Result<Response<pb::CancelResponse>, Status> {
        Ok(Response::new(calls::cancel(self.wish)))
    }

    async fn test_connection(
        &self,
        _: Request<pb::TestConnectionRequest>,
    ) -> Result<Response<Self::TestConnectionStream>, Status> {
        Ok(Response::new(calls::test(self.wish)))
    }
}
