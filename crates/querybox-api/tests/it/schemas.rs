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

#[tokio::test]
async fn statements_of_objects_are_streamed_in_the_order_of_the_request() {
    let house = House::with_shop().await;
    house
        .execute("create table item (id integer); create view all_items as select * from item")
        .await
        .rest()
        .await
        .end
        .unwrap();
    let object = |name: &str| plugin::ObjectRef { name: name.to_owned(), ..plugin::ObjectRef::default() };
    let request = pb::GetDdlRequest {
        session_id: session_id(),
        connection: named(SHOP),
        objects: vec![object("all_items"), object("nothing"), object("item")],
        ..pb::GetDdlRequest::default()
    };
    let mut stream = house.schemas().get_ddl(request.clone()).await.unwrap().into_inner();
    let mut told = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        let Some(pb::get_ddl_response::Part::Ddl(part)) = message.part else { panic!("{message:?}") };
        told.extend(part.ddl.into_iter().map(|ddl| (ddl.object, ddl.sql)));
    }
    let expected =
        [(0, "CREATE VIEW all_items as select * from item;\n"), (2, "CREATE TABLE item (id integer);\n")];
    assert_eq!(told, expected.map(|(place, sql)| (place, sql.to_owned())));

    let none = pb::GetDdlRequest { session_id: session_id(), objects: Vec::new(), ..request.clone() };
    let status = house.schemas().get_ddl(none).await.err().unwrap();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "objects are none, or more than 1,000");
    let nameless = pb::GetDdlRequest { session_id: session_id(), objects: vec![object("")], ..request };
    let status = house.schemas().get_ddl(nameless).await.err().unwrap();
    check(&status, Code::InvalidArgument, "PARAMETER_INVALID", "objects have one without a name");
}
