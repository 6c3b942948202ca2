"use strict";
// Everything shown is set as text, so what is in an event name or a customer's name stays text.
const KEY = { Authorization: "Bearer paid_page" };
const EVERY = 500;
let paused = false;
let shown = "";

// Times are in UTC. The whole one is shown when the pointer rests on it.
const day = (time) => time.slice(0, 10);
const moment = (time) => time.slice(11, 19);

const at = (id) => document.getElementById(id);

function cell(text, kind) {
  const cell = document.createElement("td");
  cell.textContent = text ?? "";
  if (kind) cell.className = kind;
  return cell;
}

function timed(time, part) {
  const made = cell(part(time));
  made.title = time;
  return made;
}

function rows(id, all, cells, none) {
  const made = all.map((one) => {
    const row = document.createElement("tr");
    row.append(...cells(one));
    return row;
  });
  if (made.length === 0) {
    const row = document.createElement("tr");
    const empty = cell(none, "none");
    empty.colSpan = 9;
    row.append(empty);
    made.push(row);
  }
  at(id).replaceChildren(...made);
}

function list(id, all, none) {
  const items = all.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  });
  if (items.length === 0) {
    const item = document.createElement("li");
    item.className = "none";
    item.textContent = none;
    items.push(item);
  }
  at(id).replaceChildren(...items);
}

function counts(all) {
  const parts = all.flatMap(([name, value, kind]) => {
    const box = document.createElement("div");
    const name_ = document.createElement("dt");
    const value_ = document.createElement("dd");
    name_.textContent = name;
    value_.textContent = value;
    if (kind) value_.className = kind;
    box.append(name_, value_);
    return [box];
  });
  at("counts").replaceChildren(...parts);
}

function fault(one) {
  const what = one.html !== undefined ? `status ${one.status} with HTML`
    : one.status !== undefined ? `status ${one.status}`
    : one.latencyMs !== undefined ? `${one.latencyMs} ms later`
    : one.drop ? "the connection closes" : "the body is cut off";
  return `${what}, ${one.times} times, ${one.operation ?? "every operation"}${one.afterWork ? ", after the work" : ""}`;
}

function show(state) {
  at("clock").textContent = `${day(state.now)} ${moment(state.now)} UTC`;
  const { counts: of } = state;
  counts([
    ["Requests", state.requests], ["Signals", of.signals], ["Signals that failed", of.failed, of.failed > 0 ? "bad" : ""],
    ["Customers", of.customers], ["Products", of.products], ["Orders", of.orders], ["Costs", of.costs],
  ]);
  rows("signal-rows", state.signals, (one) => [
    timed(one.at, moment), cell(one.event), cell(one.customer), cell(one.product), cell(one.says, one.isBilled ? "good" : "bad"),
  ], "None yet.");
  rows("invoice-rows", state.invoices, (one) => [
    cell(one.id), cell(one.customer), timed(one.ends, day), cell(one.status), cell(one.total, "number"),
  ], "None yet: an active order has one.");
  rows("margin-rows", state.margins, (one) => [
    cell(one.customer), cell(one.invoiced, "number"), cell(one.costs, "number"), cell(one.margin, one.isLoss ? "number bad" : "number"),
  ], "None yet.");
  rows("credit-rows", state.credits, (one) => [
    cell(one.customer), cell(one.currency), cell(one.available, one.available === "0" ? "number bad" : "number"), cell(one.total, "number"),
  ], "None yet.");
  rows("cap-rows", state.caps, (one) => [
    cell(one.customer), cell(one.unit), cell(one.currency), cell(one.used, one.isReached ? "number bad" : "number"), cell(one.amount, "number"),
  ], "None yet.");
  rows("order-rows", state.orders, (one) => [cell(one.id), cell(one.customer), cell(one.state)], "None yet.");
  list("fault-rows", state.faults.map(fault), "None: every request is answered.");
  list("webhook-rows", state.webhooks.map((one) => `${day(one.at)} ${moment(one.at)} ${one.event}: ${one.isTaken ? "taken" : "not taken"}`), "None yet.");
}

async function look() {
  try {
    const answer = await fetch("/__emulator/state", { headers: KEY, cache: "no-store" });
    const text = await answer.text();
    at("lost").hidden = answer.ok;
    if (answer.ok && !paused && text !== shown) {
      shown = text;
      show(JSON.parse(text));
    }
  } catch {
    at("lost").hidden = false;
  }
  setTimeout(look, EVERY);
}

async function tell(path, body) {
  await fetch(path, { method: "POST", headers: { ...KEY, "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
}

at("day").addEventListener("click", () => tell("/__emulator/clock", { advanceDays: 1 }));
at("month").addEventListener("click", () => tell("/__emulator/clock", { advanceDays: 30 }));
at("reset").addEventListener("click", () => {
  if (confirm("Delete all data of the emulator?")) tell("/__emulator/reset");
});
at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", String(paused));
  at("pause").textContent = paused ? "Go on" : "Pause";
});
look();
