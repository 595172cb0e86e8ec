//! Reading catalogs.

use querybox_contracts::{
    core::v1::{self as pb, get_schema_response::Part},
    plugin::v1 as plugin,
};
use tonic::Code;

use crate::house::{House, SHOP, check, named, session_id};

#[tokio::test]
async fn a_catalog_is_streamed_with_its_filter() {
    let house = House::with_shop().await;
    house
        .execute("create table item (id integer); create table other (id integer)")
        .await
        .rest()
        .await
        .end
        .unwrap();
    let request = pb::GetSchemaRequest {
        session_id: session_id(),
        connection: named(SHOP),
        name: "item".into(),
        kinds: vec![plugin::SchemaObjectKind::Relation.into()],
        ..pb::GetSchemaRequest::default()
    };
    let mut stream = house.schemas().get_schema(request.clone()).await.unwrap().into_inner();
    let mut names = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        let Some(Part::Objects(objects)) = message.part else { panic!("{message:?}") };
        for object in objects.objects {
            let Some(plugin::schema_object::Object::Relation(relation)) = object.object else { panic!() };
            names.push(relation.name);
        }
    }
    assert_eq!(names, ["item"]);

    let unknown = pb::GetSchemaRequest { session_id: session_id(), kinds: vec![0], ..request };
    let status = house.schemas().get_schema(unknown).await.err().unwrap();
    check(
        &status,
        Code::InvalidArgument,
        "PARAMETER_INVALID",
        "kinds has one that this version does not know",
    );
}
