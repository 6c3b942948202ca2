use paid::types::*;
use serde_json::json;

use crate::{Api, id};

#[tokio::test]
async fn members_of_a_group_are_added_set_and_removed_by_their_external_ids() {
    let api = Api::start().await;
    let client = api.client();
    for name in ["a", "b", "c"] {
        api.customer(name).await;
    }
    let group = client.customer_groups().create(&CreateCustomerGroupRequest::new("Gold")).await.unwrap();
    let members =
        |ids: &[&str]| CustomerGroupMembersRequest::new(ids.iter().map(|id| (*id).into()).collect::<Vec<_>>());
    let added = client.customer_groups().create_members(&group.id, &members(&["a", "b", "nobody"])).await.unwrap();
    assert_eq!((added.added, added.skipped), (2, Some(1)));
    assert_eq!(json!(added.skipped_ids), json!(["nobody"]));
    let again = client.customer_groups().create_members(&group.id, &members(&["a", "c"])).await.unwrap();
    assert_eq!((again.added, json!(again.skipped_ids)), (1, json!(["a"])));
    let set = client.customer_groups().update_members(&group.id, &members(&["a", "nobody"])).await.unwrap();
    assert_eq!((set.added, set.removed, set.skipped), (0, 2, Some(1)));
    let shown = client.customer_groups().get(&group.id).await.unwrap();
    assert_eq!(shown.customer_count, Some(1));
    let removed = client.customer_groups().delete_members(&group.id, &members(&["a", "b"])).await.unwrap();
    assert_eq!((removed.removed, json!(removed.skipped_ids)), (1, json!(["b"])));
}

#[tokio::test]
async fn a_customer_is_in_one_group_and_a_name_is_one_groups() {
    let api = Api::start().await;
    api.customer("a").await;
    let gold = id(&api.post("/customer-groups/", json!({"name": "Gold", "description": "the best"})).await);
    let silver = id(&api.post("/customer-groups/", json!({"name": "Silver"})).await);
    api.post(&format!("/customer-groups/{gold}/members"), json!({"customerIds": ["a"]})).await;
    api.post(&format!("/customer-groups/{silver}/members"), json!({"customerIds": ["a"]})).await;
    let list = api.get("/customer-groups/").await;
    let counts = |at: usize| (list["data"][at]["name"].clone(), list["data"][at]["customerCount"].clone());
    assert_eq!((counts(0), counts(1)), ((json!("Gold"), json!(0)), (json!("Silver"), json!(1))));
    assert_eq!(api.refused("POST", "/customer-groups/", json!({"name": "Gold"})).await, (409, "body.name".to_owned()));
    let path = format!("/customer-groups/{silver}");
    assert_eq!(api.refused("PATCH", &path, json!({"name": "Gold"})).await.0, 409);
    let renamed = api.ok("PATCH", &path, json!({"name": "Silver", "description": null})).await;
    assert_eq!((&renamed["description"], &renamed["customers"][0]["externalId"]), (&json!(null), &json!("a")));
    let deleted = api.ok("DELETE", &path, json!({})).await;
    assert_eq!(deleted, json!({"deletedGroupId": silver, "unboundCustomerCount": 1}));
    assert_eq!(api.refused("GET", &path, json!(null)).await, (404, "path.id".to_owned()));
}
