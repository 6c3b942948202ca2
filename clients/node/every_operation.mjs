// Every operation of the official Node client, against the emulator: `node every_operation.mjs BASE_URL`, run from a folder in
// which @paid-ai/paid-node is installed. It prints a line for each operation, and ends with 1 if one fails, gives a wrong answer,
// or is never called.
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(`${process.cwd()}/`);
const { PaidClient } = require("@paid-ai/paid-node");
const { getPaidTracerProvider, initializeTracing, signal: traced, trace } = require("@paid-ai/paid-node/tracing");
const { version } = require("@paid-ai/paid-node/package.json");

const baseUrl = process.argv[2];
const failures = [];
const called = new Set();
const client = new PaidClient({ token: "paid_emulator", baseUrl, maxRetries: 0 });
const operations = operationsOf(client);
const api = recorded(client);

/** The names of all methods of all resources that a client has. */
function operationsOf(client) {
  const getters = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(client)));
  return getters.filter(([, { get }]) => get).flatMap(([resource]) => {
    const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(client[resource]));
    return methods.filter((name) => name !== "constructor" && !name.startsWith("_")).map((name) => `${resource}.${name}`);
  });
}

function failed(line) {
  failures.push(line);
  console.log(`FAILED ${line}`);
}

/** The client, whose calls are recorded. */
function recorded(client) {
  const method = (resource, name) => async (request) => {
    const operation = `${resource}.${name}`;
    try {
      const answer = await client[resource][name](request);
      if (!called.has(operation)) console.log(`ok     ${operation}`);
      return answer;
    } catch (error) {
      failed(`${operation}: ${error.message.replaceAll("\n", " ")}`);
      throw error;
    } finally {
      called.add(operation);
    }
  };
  const resource = (name) => new Proxy({}, { get: (_, key) => method(name, key) });
  return new Proxy({}, { get: (_, key) => resource(key) });
}

function expect(what, actual, expected) {
  if (!isDeepStrictEqual(actual, expected)) {
    failed(`${what}: ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
}

/** What a test makes happen in the emulator, or an operation that this client has not. */
async function request(method, url, body) {
  const headers = { authorization: "Bearer paid_emulator", "content-type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const control = (path, body = {}) => request("POST", `${baseUrl.replace("/api/v2", "/__emulator")}${path}`, body);
const direct = (method, path, body) => request(method, `${baseUrl}${path}`, body);

const usage = (eventName, unitPrice, more) => ({
  pricingType: "UsagePerUnit",
  eventName,
  pricePoints: [{ currency: "USD", unitPrice, ...more }],
});
const monthly = (pricingType, unitPrice) => ({
  pricingType,
  billingFrequency: "Monthly",
  pricePoints: [{ currency: "USD", unitPrice }],
});
const signal = (eventName, externalCustomerId, externalProductId, more) => ({
  eventName,
  customer: { externalCustomerId },
  attribution: { externalProductId },
  ...more,
});

const world = {};

/** The invoices of an order. This client's list has no filter. */
async function invoicesOf(orderId) {
  return (await api.invoices.listInvoices({ limit: 100 })).data.filter((invoice) => invoice.orderId === orderId);
}

/** The developer guide: product, customer, contact, order, activation, signals, invoice. */
async function guide() {
  const product = await api.products.createProduct({ name: "AI SDR", externalId: "ai-sdr", active: true });
  const productAttributes = [
    { name: "Platform", pricing: monthly("RecurringPerUnit", 50_000) },
    { name: "Meetings", pricing: usage("meeting_booked", 1_500, { includedQuantity: 1 }) },
  ];
  const priced = await api.products.updateProductById({ id: product.id, body: { productAttributes } });
  const prices = priced.productAttributes.map((each) => each.pricing.pricePoints[0].unitPrice);
  expect("prices", prices, [50_000, 1_500]);
  const customer = await api.customers.createCustomer({
    name: "Acme",
    externalId: "acme",
    email: "pay@acme.example",
    billingAddress: { line1: "1 Main St", city: "Boston", zipCode: "02101", country: "US" },
  });
  const contact = await api.contacts.createContact({
    customerId: customer.id,
    email: "ada@acme.example",
    firstName: "Ada",
    externalId: "ada",
    roles: ["BILLING"],
  });
  const order = await api.orders.createOrder({
    customerId: customer.id,
    name: "Acme 2026",
    currency: "USD",
    billingContactIds: [contact.id],
    lines: [{ productId: product.id }],
  });
  expect("order before activation", order.creationState, "draft");
  // This client has no method for activation; an update does the same.
  const active = await api.orders.updateOrderById({ id: order.id, creationState: "active" });
  expect("order", active.creationState, "active");
  const signals = [1, 2, 3, 4].map((at) => signal("meeting_booked", "acme", "ai-sdr", { idempotencyKey: `meeting-${at}` }));
  expect("signals", await api.signals.createSignals({ signals }), { ingested: 4, duplicates: 0, failed: 0 });
  expect("the same signals", await api.signals.createSignals({ signals }), { ingested: 0, duplicates: 4, failed: 0 });
  const invoices = await invoicesOf(order.id);
  const [invoice] = invoices;
  expect("invoice", [invoices.length, invoice.status, invoice.currency], [1, "draft", "USD"]);
  expect("invoice's total: 500 and 3 meetings of 15", invoice.invoiceTotal, 54_500);
  const lines = (await api.invoices.getInvoiceLines({ id: invoice.id })).data;
  expect("lines", lines.map((line) => line.totalPriceBeforeTax).sort(), [4_500, 50_000].sort());
  Object.assign(world, { product, customer, contact, order, invoice });
}

async function products() {
  const { products, pricing } = api;
  expect("products", (await products.listProducts({ limit: 5 })).data.map((each) => each.externalId), ["ai-sdr"]);
  const renamed = await products.updateProductByExternalId({ externalId: "ai-sdr", body: { description: "Books" } });
  expect("description", renamed.description, "Books");
  expect("product", (await products.getProductById({ id: world.product.id })).description, "Books");
  const { productAttributes } = await products.getProductByExternalId({ externalId: "ai-sdr" });
  const { productAttributeId } = productAttributes[1];
  const listed = await pricing.listPricing({ productId: world.product.id });
  expect("pricing", listed.data.map((each) => each.name), ["Platform", "Meetings"]);
  await pricing.updatePricing({ productAttributeId, pricing: usage("meeting_booked", 2_000) });
  const price = (await pricing.getPricing({ productAttributeId })).pricing;
  expect("price", [price.pricingType, price.pricePoints[0].unitPrice], ["UsagePerUnit", 2_000]);
}

async function customers() {
  const { customers } = api;
  const made = [];
  for (const name of ["Globex", "Initech"]) {
    made.push(await customers.createCustomer({ name, externalId: name.toLowerCase() }));
  }
  expect("customers", (await customers.listCustomers()).data.length, 3);
  expect("phone", (await customers.updateCustomerById({ id: made[0].id, body: { phone: "+1" } })).phone, "+1");
  await customers.updateCustomerByExternalId({ externalId: "globex", body: { legalName: "Globex Inc." } });
  const found = await customers.getCustomerByExternalId({ externalId: "globex" });
  expect("both changes", [found.id, found.phone, found.legalName], [made[0].id, "+1", "Globex Inc."]);
  expect("by id", (await customers.getCustomerById({ id: made[0].id })).name, "Globex");
  await customers.deleteCustomerById({ id: made[0].id });
  await customers.deleteCustomerByExternalId({ externalId: "initech" });
  expect("customers left", (await customers.listCustomers({ limit: 5 })).data.map((each) => each.name), ["Acme"]);
  const user = { customerExternalId: "acme", userExternalId: "user-1", name: "Bob", email: "bob@acme.example" };
  expect("user", (await customers.upsertCustomerUserByExternalId(user)).name, "Bob");
}

async function contacts() {
  const { contacts } = api;
  const customerId = world.customer.id;
  const bob = await contacts.createContact({ customerId, email: "bob@acme.example", externalId: "bob" });
  const eve = await contacts.createContact({ customerId, email: "eve@acme.example", externalId: "eve" });
  expect("contacts", (await contacts.listContacts()).data.length, 3);
  expect("phone", (await contacts.updateContactById({ id: bob.id, body: { phone: "+1" } })).phone, "+1");
  await contacts.updateContactByExternalId({ externalId: "eve", body: { firstName: "Eve" } });
  expect("name", (await contacts.getContactByExternalId({ externalId: "eve" })).firstName, "Eve");
  expect("contact", (await contacts.getContactById({ id: eve.id })).email, "eve@acme.example");
  await contacts.deleteContactById({ id: bob.id });
  await contacts.deleteContactByExternalId({ externalId: "eve" });
  expect("contacts left", (await contacts.listContacts({ limit: 5 })).data.map((each) => each.externalId), ["ada"]);
}

async function orders() {
  const { orders } = api;
  const draft = await orders.createOrder({ customerId: world.customer.id, currency: "USD" });
  expect("orders", (await orders.listOrders({ customerId: world.customer.id })).data.length, 2);
  await orders.deleteOrderById({ id: draft.id });
  expect("orders left", (await orders.listOrders()).data.map((each) => each.id), [world.order.id]);
  expect("order", (await orders.getOrderById({ id: world.order.id })).name, "Acme 2026");
  const lines = await orders.getOrderLines({ id: world.order.id });
  expect("lines", lines.data.map((line) => line.productId), [world.product.id]);
}

async function seats() {
  const { orders } = api;
  const product = await api.products.createProduct({ name: "Copilot", externalId: "copilot", active: true });
  const productAttributes = [{ name: "Seats", pricing: monthly("SeatBasedPerUnit", 2_500) }];
  await api.products.updateProductById({ id: product.id, body: { productAttributes } });
  const pricing = { chargeType: "seatBased", billingFrequency: "monthly", pricePoints: { unitPrice: 2_500 } };
  const attributes = [{ name: "Seats", quantity: 3, pricing: { ...pricing, pricingModel: "perUnit" } }];
  const lines = [{ productId: product.id, attributes }];
  const request = { customerId: world.customer.id, currency: "USD", creationState: "active", lines };
  const { id } = await orders.createOrder(request);
  expect("three seats of 25", (await invoicesOf(id)).map((each) => each.invoiceTotal), [7_500]);
  const [first, second] = (await orders.listOrderSeats({ id })).data;
  const taken = await orders.updateOrderSeatAssignment({ id, seatId: first.id, userExternalId: "user-1" });
  expect("assigned", [taken.status, taken.assignee.externalId], ["assigned", "user-1"]);
  const assignments = [{ seatId: first.id, userExternalId: null }, { seatId: second.id, userExternalId: "user-1" }];
  await orders.batchOrderSeatAssignments({ id, assignments });
  const assigned = await orders.listOrderSeats({ id, status: "assigned" });
  expect("moved", assigned.data.map((seat) => seat.id), [second.id]);
}

async function invoices() {
  const { id } = world.invoice;
  expect("metadata", (await api.invoices.updateInvoiceById({ id, metadata: { po: "7" } })).metadata, { po: "7" });
  await control(`/invoices/${id}/pay`);
  const paid = await api.invoices.getInvoiceById({ id });
  expect("paid", [paid.status, paid.paymentStatus, paid.amountPaid, paid.amountDue], ["posted", "paid", 54_500, 0]);
}

async function credits() {
  await direct("POST", "/credits/currencies", { name: "Tokens", key: "tokens" });
  const currencies = await api.credits.listCreditCurrencies();
  expect("currencies", currencies.data.map((each) => each.key), ["tokens"]);
  const { id } = world.customer;
  await direct("POST", `/customers/${id}/credits/grants`, { creditCurrencyKey: "tokens", amount: 10 });
  const balances = await api.customers.getCustomerCreditBalances({ id });
  expect("balance", balances.data.map((each) => each.available), [10]);
  const same = await api.customers.getCustomerCreditBalancesByExternalId({ externalId: "acme" });
  expect("balance by external id", same.data.map((each) => each.available), [10]);
}

async function checkouts() {
  const { checkouts } = api;
  const products = [{ id: world.product.id }];
  const successUrl = "https://app.example/ok";
  const made = await checkouts.createCheckout({ products, successUrl, externalCustomerId: "acme", singleUse: true });
  await control(`/checkouts/${made.id}/complete`);
  const done = await checkouts.getCheckout({ id: made.id });
  const bought = await invoicesOf(done.orderId);
  expect("its invoice", bought.map((each) => [each.invoiceTotal, each.paymentStatus]), [[50_000, "paid"]]);
  const other = await checkouts.createCheckout({ products, successUrl });
  await checkouts.archiveCheckout({ id: other.id });
  expect("checkouts", (await checkouts.listCheckouts()).data.map((each) => each.status).sort(), ["archived", "completed"]);
}

async function costsAndPortals() {
  const of = { customer: { externalCustomerId: "acme" }, product: { externalProductId: "ai-sdr" } };
  const usage = { inputTokens: 1_000, outputTokens: 200 };
  const costs = [
    { type: "cost", amount: 0.25, currency: "USD", vendor: "twilio", ...of },
    { type: "usage", vendor: "openai", model: "gpt-4o", usage, ...of },
  ];
  expect("costs", (await api.costs.createCosts({ costs })).ingested, 2);
  const portal = await api.customerPortals.createCustomerPortal({ externalCustomerId: "acme" });
  expect("portal", [portal.customerId, portal.status], [world.customer.id, "active"]);
}

async function receipts() {
  const { valueReceipts } = api;
  await direct("PUT", "/value-models/", {
    content: {
      currency: "USD",
      valueTypes: [{ slug: "won", name: "Meetings won", unit: { type: "monetary" } }],
      formulas: [{ id: "won", valueTypeSlug: "won", label: "Won", expression: "200", variables: [] }],
      signals: [{ eventName: "meeting_booked", label: "Meetings", formulaId: "won" }],
    },
  });
  await control("/clock", { advanceDays: 1 });
  const end = new Date((await request("GET", `${baseUrl.replace("/api/v2", "/__emulator")}/clock`)).now);
  const startDate = new Date(end.getTime() - 30 * 86_400_000).toISOString();
  const period = { startDate, endDate: end.toISOString(), externalCustomerId: "acme" };
  const { id } = await valueReceipts.syncValueReceipt(period);
  const receipt = await valueReceipts.getValueReceiptById({ id });
  expect("four meetings at 200", [receipt.totalDeliveredValue, receipt.currency], [800, "USD"]);
  expect("refreshed", (await valueReceipts.refreshValueReceipt({ id })).id, id);
  expect("sealed", (await valueReceipts.sealValueReceipt({ id })).success, true);
  expect("published", (await valueReceipts.publishValueReceipt({ id })).isPublished, true);
  expect("unpublished", (await valueReceipts.unpublishValueReceipt({ id })).isPublished, false);
  expect("archived", (await valueReceipts.archiveValueReceipt({ id })).success, true);
  expect("unarchived", (await valueReceipts.unarchiveValueReceipt({ id })).success, true);
  expect("receipts", (await valueReceipts.listValueReceipts({ externalCustomerId: "acme" })).data.map((each) => each.id), [id]);
}

async function webhooks() {
  const { webhooks } = api;
  expect("webhooks", (await webhooks.listWebhooks()).data.length, 11);
  const webhookName = "billing-invoice-paid";
  const url = "http://127.0.0.1:9/hook";
  const updated = await webhooks.updateWebhook({ webhookName, enabled: true, url });
  expect("webhook", [updated.enabled, updated.url], [true, url]);
  // Nothing listens there.
  expect("test", (await webhooks.testWebhook({ webhookName })).success, false);
}

/** A signal of a traced scope, which the client sends as a span. */
async function tracing() {
  initializeTracing("paid_emulator", { collectorEndpoint: baseUrl.replace("/api/v2", "/v1/traces") });
  const scope = { externalCustomerId: "acme", externalProductId: "ai-sdr" };
  await trace(scope, async () => traced("email_written", false, { words: 120 }));
  await getPaidTracerProvider().forceFlush();
  const { data } = await direct("GET", "/signals/?signalName=email_written");
  const found = data.map((each) => [each.externalCustomerId, each.externalProductId, each.data.words]);
  expect("traced signal", found, [["acme", "ai-sdr", 120]]);
}

const stories = [
  guide, products, customers, contacts, orders, seats, invoices, credits, checkouts, costsAndPortals, tracing, receipts, webhooks,
];
for (const story of stories) {
  const before = failures.length;
  try {
    await story();
  } catch (error) {
    if (failures.length === before) failed(`${story.name}: ${error.stack}`);
    else console.log(`       ${story.name} stops there`);
  }
}
const missing = operations.filter((operation) => !called.has(operation));
missing.forEach((operation) => failed(`${operation}: never called`));
const count = `${operations.length - missing.length} of ${operations.length} operations called`;
console.log(`@paid-ai/paid-node ${version}: ${count}, ${failures.length} failures`);
process.exitCode = failures.length ? 1 : 0;
