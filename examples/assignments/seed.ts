import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

// Makes the database that weir.yaml names, in the folder that is given or else beside this file. Run it with
// `node examples/assignments/seed.ts`; a second run begins anew.

const database = new DatabaseSync(join(process.argv[2] ?? import.meta.dirname, 'assignments.db'))
database.exec(`
  drop table if exists assignments;
  create table assignments (
    id integer primary key, user text not null, title text not null, status text not null default 'open', due text
  );
  insert into assignments (user, title) values
    ('ada', 'Measure the river'),
    ('ada', 'Mend the sluice'),
    ('grace', 'Count the trout');
`)
database.close()
