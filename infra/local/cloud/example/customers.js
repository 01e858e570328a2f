// Lists the customers by stage. Partners do not copy this file.

const STAGES = {
  enrolling: "Started to enroll",
  no_bank_account: "Without a bank account",
  bank_unverified: "No bank account verified",
  awaiting_first_payment: "Never paid",
  active: "Active",
  dormant_30: "Last paid 30 days ago",
  dormant_60: "Last paid 60 days ago",
  dormant_90: "Last paid 90 days ago",
  closed: "Closed",
};

const list = document.getElementById("customers");

function element(name, text = "") {
  const created = document.createElement(name);
  created.textContent = text;
  return created;
}

function line({ id, name }) {
  const link = element("a", name ?? id);
  link.href = `/?organization=${encodeURIComponent(id)}`;
  const item = element("li");
  item.append(link);
  return item;
}

const response = await fetch("/customers").catch(() => undefined);
const customers = response?.ok ? await response.json() : [];
for (const [stage, meaning] of Object.entries(STAGES)) {
  const lines = customers.filter((customer) => customer.stage === stage).map(line);
  if (lines.length === 0) continue;
  const items = element("ul");
  items.className = "card";
  items.append(...lines);
  list.append(element("h2", `${meaning} (${lines.length})`), items);
}
if (customers.length === 0) list.append(element("p", "No customer has been synced yet."));
