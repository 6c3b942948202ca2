"""Customers and what belongs to them: contacts, aliases, groups, units, users and portals."""


def customers(world):
    api = world.api.customers
    globex = api.create_customer(name="Globex", external_id="globex", default_currency="USD")
    leaving = [api.create_customer(name=name, external_id=name.lower()) for name in ["Initech", "Hooli"]]
    world.expect("customers", api.list_customers(limit=2).pagination.total, 4)
    world.expect("filter", [each.id for each in api.list_customers(external_id="globex").data], [globex.id])
    world.expect("customer", api.get_customer_by_id(globex.id).name, "Globex")
    world.expect("phone", api.update_customer_by_id(globex.id, phone="+1 555 0100").phone, "+1 555 0100")
    website = "https://globex.example"
    world.expect("website", api.update_customer_by_external_id("globex", website=website).website, website)
    found = api.get_customer_by_external_id("globex")
    world.expect("both changes", (found.phone, found.website), ("+1 555 0100", website))
    api.delete_customer_by_id(leaving[0].id)
    api.delete_customer_by_external_id("hooli")
    world.expect("customers left", api.list_customers().pagination.total, 2)
    world.globex = globex


def contacts(world):
    api = world.api.contacts
    for name in ["bob", "eve"]:
        made = api.create_contact(customer_id=world.globex.id, email=f"{name}@globex.example", external_id=name)
    world.expect("contacts", api.list_contacts().pagination.total, 3)
    world.expect("contact", api.get_contact_by_id(world.ada.id).roles, ["BILLING"])
    world.expect("name", api.update_contact_by_id(made.id, first_name="Eve").first_name, "Eve")
    world.expect("phone", api.update_contact_by_external_id("bob", phone="+1").phone, "+1")
    world.expect("by external id", api.get_contact_by_external_id("bob").email, "bob@globex.example")
    api.delete_contact_by_id(made.id)
    api.delete_contact_by_external_id("bob")
    world.expect("contacts left", api.list_contacts().pagination.total, 1)


def aliases(world):
    api = world.api.customers
    acme = world.acme.id
    api.create_customer_alias(acme, alias="crm-7", name="CRM")
    api.create_customer_alias_by_external_id("acme", alias="erp-9")
    world.expect("aliases", sorted(each.alias for each in api.list_customer_aliases(acme).data), ["crm-7", "erp-9"])
    world.expect("customer of an alias", api.get_customer_by_external_id("erp-9").id, acme)
    api.delete_customer_alias(acme, "crm-7")
    api.delete_customer_alias_by_external_id("acme", "erp-9")
    world.expect("aliases left", api.list_customer_aliases_by_external_id("acme").pagination.total, 0)


def groups(world):
    # The API takes your own ids of customers here.
    api = world.api.customer_groups
    group = api.create_customer_group(name="Enterprise", description="Large")
    added = api.create_customer_group_members(group.id, customer_ids=["acme"])
    world.expect("added", (added.added, added.skipped), (1, 0))
    moved = api.update_customer_group_members(group.id, customer_ids=["globex"])
    world.expect("set", (moved.added, moved.removed), (1, 1))
    world.expect("members", [each.id for each in api.get_customer_group(group.id).customers], [world.globex.id])
    world.expect("groups", api.list_customer_groups().pagination.total, 1)
    world.expect("name", api.update_customer_group(group.id, name="Big").name, "Big")
    world.expect("removed", api.delete_customer_group_members(group.id, customer_ids=["globex"]).removed, 1)
    world.expect("deleted", api.delete_customer_group(group.id).deleted_group_id, group.id)


def units(world):
    api = world.api.customers
    globex = world.globex.id
    made = api.create_customer_unit(globex, external_id="rnd", parent_external_id="globex", external_type="department")
    world.expect("unit", (made.status, made.is_root, made.parent_external_id), ("ACTIVE", False, "globex"))
    api.create_customer_unit_by_external_id("globex", external_id="lab", parent_external_id="rnd")
    listed = api.list_customer_units(globex).data
    world.expect("units", sorted(unit.external_id for unit in listed), ["globex", "lab", "rnd"])
    below = api.list_customer_units_by_external_id("globex", parent_external_id="rnd").data
    world.expect("units below", [unit.external_id for unit in below], ["lab"])
    world.expect("name", api.update_customer_unit(globex, "rnd", name="Research").name, "Research")
    api.update_customer_unit_by_external_id("globex", "lab", metadata={"floor": 2})
    world.expect("one unit", api.get_customer_unit(globex, "rnd").name, "Research")
    world.expect("metadata", api.get_customer_unit_by_external_id("globex", "lab").metadata, {"floor": 2})
    world.expect("deleted", api.delete_customer_unit(globex, "lab").status, "DELETED")
    api.create_customer_unit(globex, external_id="tmp", parent_external_id="globex")
    world.expect("deleted too", api.delete_customer_unit_by_external_id("globex", "tmp").status, "DELETED")


def users_and_portals(world):
    user = world.api.customers.upsert_customer_user_by_external_id("acme", "user-1", name="Bob", email="bob@acme.example")
    world.expect("user", (user.name, user.status), ("Bob", "active"))
    portal = world.api.customer_portals.create_customer_portal(
        external_customer_id="acme", return_url="https://app.example/billing"
    )
    world.expect("portal", (portal.customer_id, portal.status), (world.acme.id, "active"))


STORIES = [customers, contacts, aliases, groups, units, users_and_portals]
