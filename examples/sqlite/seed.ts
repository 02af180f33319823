import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

// Makes the database that weir.yaml names, in the folder that is given or else beside this file. Run it with
// `node examples/sqlite/seed.ts`; a second run begins anew.

const database = new DatabaseSync(join(process.argv[2] ?? import.meta.dirname, 'shop.db'))
database.exec(`
  drop table if exists orders;
  create table orders (id integer primary key, customer text not null, total real not null, status text not null);
  insert into orders (customer, total, status) values
    ('Ada', 120.5, 'paid'),
    ('Grace', 80, 'open'),
    ('Ada', 42, 'open');
`)
database.close()
