import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Connection } from '../../core/connector.ts'
import { silentLogger } from '../../core/logger.ts'
import { isTool } from '../../core/tool.ts'
import { compileJsonSchema } from '../../execution/json-schema-validator.ts'
import { createSqlConnector, type SqlParts } from './sql.ts'

/** The connector as Weir builds it. */
export const sql = createSqlConnector({ compileSchema: compileJsonSchema })

/** The documents' sample tables (D0-022), and what else the tests of all tools read. */
export const sampleTables = `create table customers(id integer primary key, name text not null);
  insert into customers values (1, 'Ada'), (2, 'Grace');
  create table orders(id integer primary key, customer integer references customers(id) on delete cascade,
    status text default 'new');
  create index orders_by_status on orders(status, lower(status));
  insert into orders values (7, 1, 'new');
  create table order_history(order_id integer, status text, timestamp text);
  create table tags(tag text primary key) without rowid;
  create view open_orders as select * from orders where status = 'new';
  create virtual table notes using fts5(body);
  insert into notes values ('hello there');
  create table mixed(any_value);`

interface CallOptions {
  readonly signal?: AbortSignal
  readonly deadlineMs?: number
  /** `ada` where absent. */
  readonly user?: string
}

/** For tests: an open connection on real files in a folder of its own. */
export interface TestConnection {
  readonly connection: Connection
  readonly folder: string
  call(tool: string, input: object, options?: CallOptions): Promise<unknown>
  dispose(): Promise<void>
}

/** Makes `main.db` with the statements in `setup`, and opens a connection with this `databases` config. */
export async function openTestConnection(
  setup: string,
  databases: Record<string, object>,
  { tools, ...parts }: { readonly tools?: object | ((folder: string) => object) } & Partial<SqlParts> = {},
): Promise<TestConnection> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-sql-'))
  changeFile(join(folder, 'main.db'), setup)
  const connector = createSqlConnector({ compileSchema: compileJsonSchema, ...parts })
  const declared = typeof tools === 'function' ? tools(folder) : (tools ?? {})
  const config = { databases, tools: declared }
  const connection = await connector.open(connector.config.parse(config), {
    name: 'database',
    baseDir: folder,
    log: silentLogger,
    signal: new AbortController().signal,
  })
  return {
    connection,
    folder,
    async call(name, input, { signal, deadlineMs, user = 'ada' } = {}) {
      const tool = connection
        .targets()
        .filter(isTool)
        .find((target) => target.name === name)
      if (tool === undefined) throw new Error(`no tool ${name}`)
      const result = await tool.run(input, {
        signal: signal ?? new AbortController().signal,
        stop: signal ?? new AbortController().signal,
        deadlineMs: deadlineMs ?? performance.now() + 30_000,
        caller: { subject: `test:${user}`, tenant: 'test' },
        wantsProgress: false,
        emit() {},
      })
      return 'structuredContent' in result ? result.structuredContent : result
    },
    async dispose() {
      await connection.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs statements on a file with a connection of the test's own, which no guard watches. */
export function changeFile(path: string, statements: string): void {
  const database = new DatabaseSync(path)
  database.exec(statements)
  database.close()
}
