import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Shop } from './shop.ts'

const tables = `
  create table customers (
    id integer primary key, name text not null, email text not null unique, city text not null, joined_at text not null
  ) strict;
  create table products (
    id integer primary key, sku text not null unique, name text not null, price_cents integer not null, stock integer not null
  ) strict;
  create table orders (
    id integer primary key, customer_id integer not null references customers (id),
    status text not null, total_cents integer not null, placed_at text not null
  ) strict;
  create table order_items (
    order_id integer not null references orders (id), product_id integer not null references products (id),
    quantity integer not null, unit_cents integer not null, primary key (order_id, product_id)
  ) strict;
  create table order_history (
    order_id integer not null references orders (id), status text not null, timestamp text not null
  ) strict;
`

/** Made after the rows, which is faster than keeping them in order meanwhile. */
const indexes = `
  create index orders_by_customer on orders (customer_id);
  create index order_history_by_order on order_history (order_id);
`

/** Writes the shop into a new SQLite file, in one transaction. Nothing is lost if that fails, so nothing is synced. */
export function writeShop(path: string, shop: Shop): void {
  const database = new DatabaseSync(path)
  try {
    database.exec('pragma journal_mode = off; pragma synchronous = off; begin')
    database.exec(tables)
    insertAll(database, 'customers', shop.customers)
    insertAll(database, 'products', shop.products)
    insertAll(database, 'orders', shop.orders)
    insertAll(database, 'order_items', shop.items)
    insertAll(database, 'order_history', shop.history)
    database.exec(indexes)
    database.exec('commit')
  } finally {
    database.close()
  }
}

/** Rows of one statement: hundreds of rows cost hardly more calls than one, and SQLite binds at most 32,766 values. */
const batchRows = 200

/** The rows' fields are the table's columns, in its order. */
function insertAll(database: DatabaseSync, table: string, rows: readonly object[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const prepare = (count: number) => {
    const marks = Array(count).fill(`(${columns.map(() => '?').join(', ')})`)
    return database.prepare(`insert into ${table} (${columns.join(', ')}) values ${marks.join(', ')}`)
  }
  const insert = rows.length < batchRows ? undefined : prepare(batchRows)
  for (let at = 0; at < rows.length; at += batchRows) {
    const batch = rows.slice(at, at + batchRows)
    const values = batch.flatMap((row) => Object.values(row) as SQLInputValue[])
    const statement = batch.length === batchRows ? insert : undefined
    ;(statement ?? prepare(batch.length)).run(...values)
  }
}
