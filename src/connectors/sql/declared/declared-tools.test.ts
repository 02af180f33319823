import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../../core/caller.ts'
import { Cancellation } from '../../../core/cancellation.ts'
import { systemClock } from '../../../core/clock.ts'
import { toJsonSchema } from '../../../core/schema.ts'
import { createExecutor } from '../../../execution/executor.ts'
import { createPartsWithoutStore } from '../../../execution/pipeline.fixture.ts'
import { createStages } from '../../../execution/pipeline.ts'
import { silentLog } from '../../../execution/silent-log.fixture.ts'
import { createMetrics } from '../../../telemetry/metrics.ts'
import {
  openTestConnection,
  sampleTables,
  sql,
  type TestConnection,
} from '../open-test-connection.fixture.ts'

const assignments = `${sampleTables}
  create table assignments(id integer primary key, title text not null, status text, due text);
  insert into assignments values (1, 'Dam the brook', 'open', null), (2, 'Count the trout', 'open', null);`

const tools = {
  get_assignment: {
    database: 'main',
    description: 'Finds one assignment.',
    statement: 'select * from assignments where id = $1',
    parameters: { assignment_id: { type: 'integer', description: 'Which.', minimum: 1 } },
    result: 'one',
  },
  update_assignment: {
    database: 'main',
    description: 'Changes what is given of an assignment.',
    statement: `update assignments set title = coalesce($2, title), status = coalesce($3, status), due = coalesce($4, due)
      where id = $1 returning *`,
    parameters: {
      assignment_id: { type: 'integer', description: 'Which.' },
      title: { type: 'string', description: 'A new title.', required: false, maxLength: 100 },
      status: { type: 'string', description: 'A new status.', required: false, enum: ['open', 'done'] },
      due: { type: 'datetime', description: 'When it is due.', required: false },
    },
    effect: 'idempotent-write',
    result: 'one',
  },
  list_assignments: {
    database: 'reader',
    title: 'Assignments',
    description: 'Lists assignments of a status.',
    statement: 'select id, title from assignments where status = ? order by id limit ?',
    parameters: {
      status: { type: 'string', description: 'Which status.', default: 'open' },
      most: { type: 'integer', description: 'How many at the most.', default: 10, maximum: 50 },
    },
  },
  delete_done: {
    database: 'main',
    description: 'Deletes what is done.',
    statement: "delete from assignments where status = 'done'",
    effect: 'destructive',
  },
  titles: {
    database: 'reader',
    description: 'Lists titles, as short ones.',
    statement: 'select title from assignments',
    output: { type: 'object', required: ['title'], properties: { title: { type: 'string', maxLength: 40 } } },
  },
  rename: {
    database: 'main',
    description: 'Renames one.',
    statement: 'update assignments set title = $1 where id = 2 returning title',
    parameters: { title: { type: 'string', description: 'A title.' } },
    effect: 'write',
    result: 'one',
    output: { properties: { title: { maxLength: 20 } } },
  },
  typed: {
    database: 'reader',
    description: 'Says what it got.',
    statement: 'select typeof($1) as n, typeof($2) as b, $3 as j, typeof($4) as x, $5 as absent',
    parameters: {
      n: { type: 'number', description: 'A number.', minimum: -1, maximum: 1 },
      b: { type: 'boolean', description: 'Yes or no.' },
      j: { type: 'json', description: 'Anything.' },
      x: { type: 'bytes', description: 'Bytes.' },
      absent: { type: 'string', description: 'Left out.', required: false },
    },
    result: 'one',
  },
  any_of: {
    database: 'reader',
    description: 'Finds any.',
    statement: 'select * from assignments',
    result: 'one',
  },
}

let test: TestConnection
beforeAll(async () => {
  const databases = { main: { url: 'sqlite:./main.db', write: true }, reader: { url: 'sqlite:./main.db' } }
  test = await openTestConnection(assignments, databases, { tools })
})
afterAll(() => test.dispose())

const find = (name: string) => test.connection.targets().find((target) => target.name === name)!

it('declared statements are typed tools of their own, beside those that every connection has', () => {
  expect(test.connection.targets().map(({ name, effect }) => `${name} ${effect}`)).toEqual(
    expect.arrayContaining([
      'get_assignment read',
      'update_assignment idempotent-write',
      'list_assignments read',
      'delete_done destructive',
    ]),
  )
  expect(toJsonSchema(find('list_assignments').input)).toEqual({
    type: 'object',
    properties: {
      status: { type: 'string', description: 'Which status.', default: 'open' },
      most: { type: 'integer', description: 'How many at the most.', default: 10, maximum: 50 },
    },
    additionalProperties: false,
  })
  expect(toJsonSchema(find('update_assignment').input)).toMatchObject({ required: ['assignment_id'] })
})

it('D2-039, D2-040: get_assignment finds one, update_assignment changes what is given and nothing else', async () => {
  expect(await test.call('get_assignment', { assignment_id: 1 })).toEqual({
    success: true,
    data: { id: 1, title: 'Dam the brook', status: 'open', due: null },
  })
  expect(
    await test.call('update_assignment', {
      assignment_id: 1,
      status: 'done',
      due: '2026-12-01T09:30:00+01:00',
    }),
  ).toEqual({
    success: true,
    data: { id: 1, title: 'Dam the brook', status: 'done', due: '2026-12-01T08:30:00.000Z' },
  })
})

it('B-70: a row that is not there is an error, and no success without data', async () => {
  for (const name of ['get_assignment', 'update_assignment']) {
    await expect(test.call(name, { assignment_id: 99 })).rejects.toMatchObject({ code: 'ROW_NOT_FOUND' })
  }
  await expect(test.call('any_of', {})).rejects.toMatchObject({ code: 'INVALID_OUTPUT' })
})

it('defaults stand for what is left out', async () => {
  expect(await test.call('list_assignments', {})).toMatchObject({
    rows: [{ id: 2 }],
    count: 1,
    database: 'reader',
  })
  expect(await test.call('list_assignments', { status: 'done' })).toMatchObject({ rows: [{ id: 1 }] })
  expect(await test.call('delete_done', {})).toEqual({ rowcount: 1, database: 'main' })
})

it('B-41: every type is bound as what it is, and what is left out is null', async () => {
  expect(await test.call('typed', { n: 0.5, b: true, j: { a: [1] }, x: 'AP8=' })).toEqual({
    success: true,
    data: { n: 'real', b: 'integer', j: '{"a":[1]}', x: 'blob', absent: null },
  })
  await expect(test.call('typed', { n: 0, b: true, j: 1, x: 'no base64!' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  })
})

it('D1-022, B-38: clients are told what rows look like, and rows that look otherwise are refused', async () => {
  const output = tools.titles.output
  expect(toJsonSchema(find('titles').output!)).toMatchObject({ properties: { rows: { items: output } } })
  expect(toJsonSchema(find('rename').output!)).toMatchObject({
    properties: { data: tools.rename.output, success: {} },
  })
  expect(await test.call('titles', {})).toMatchObject({ rows: expect.any(Array) })
  const long = 'Count the trout from the bridge to the weir and back'
  await expect(test.call('rename', { title: long })).rejects.toMatchObject({
    code: 'QUALITY_REJECTED',
    hint: expect.stringContaining('has taken effect all the same'),
  })
  await expect(test.call('titles', {})).rejects.toMatchObject({
    code: 'QUALITY_REJECTED',
    message: expect.stringContaining('/title'),
    hint: expect.stringContaining('Ask the operator'),
  })
  expect(await test.call('rename', { title: 'Count the trout' })).toMatchObject({ success: true })
})

it('S11: what a caller gives is a value and never SQL, and the count of rows shows it', async () => {
  const attacks = ["x'; drop table assignments; --", "' or '1'='1", '$1); delete from assignments --']
  for (const status of attacks) {
    expect(await test.call('list_assignments', { status })).toMatchObject({ count: 0 })
  }
  await test.call('update_assignment', { assignment_id: 2, title: attacks[0] })
  expect(await test.call('get_assignment', { assignment_id: 2 })).toMatchObject({
    data: { title: attacks[0] },
  })
})

it('arguments that do not fit are refused by the executor before anything runs', async () => {
  const stages = createStages({
    ...{ log: silentLog, metrics: createMetrics(), clock: systemClock },
    ...createPartsWithoutStore(),
  })
  const executor = createExecutor({ stages, resolvePolicy: () => ({ timeoutMs: 5000 }) })
  const run = (name: string, input: object) =>
    executor.execute({
      ...{ id: 'call-1', input, via: 'rest', cancellation: new Cancellation() },
      entry: { id: `database:${name}`, connection: 'database', target: find(name) },
      caller: { subject: 'test:ada', tenant: 'test', grants: everything },
    })
  const refused = { kind: 'failed', error: { code: 'INVALID_INPUT' } }
  expect(await run('get_assignment', { assignment_id: '2' })).toMatchObject(refused)
  expect(await run('get_assignment', { assignment_id: 0 })).toMatchObject(refused)
  expect(await run('get_assignment', { assignment_id: 2, or: 1 })).toMatchObject(refused)
  expect(await run('update_assignment', { assignment_id: 2, status: 'gone' })).toMatchObject(refused)
  expect(await run('update_assignment', { assignment_id: 2, due: 'tomorrow' })).toMatchObject(refused)
  expect(await run('get_assignment', { assignment_id: 2 })).toMatchObject({ kind: 'complete' })
})

describe('a declaration that cannot work names its field', () => {
  const databases = { main: { url: 'sqlite:./main.db' } }
  const plain = { database: 'main', description: 'd', statement: 'select 1' }
  const withParameter = (parameter: object) => ({
    tool: { ...plain, parameters: { p: { description: 'd', type: 'string', ...parameter } } },
  })
  it.each<[object, string]>([
    [{ execute_query: plain }, 'tools.execute_query'],
    [{ BadName: plain }, 'tools.BadName'],
    [{ tool: { ...plain, database: 'other' } }, 'tools.tool.database'],
    [{ tool: { ...plain, effect: 'write' } }, 'tools.tool.effect'],
    [{ tool: { ...plain, statement: '' } }, 'tools.tool.statement'],
    [
      { tool: { ...plain, parameters: { 'no spaces': { type: 'string', description: 'd' } } } },
      'tools.tool.parameters.no spaces',
    ],
    [withParameter({ type: 'uuid' }), 'tools.tool.parameters.p.type'],
    [withParameter({ default: 1 }), 'tools.tool.parameters.p.default'],
    [withParameter({ default: 'c', enum: ['a', 'b'] }), 'tools.tool.parameters.p.default'],
    [withParameter({ required: true, default: 'c' }), 'tools.tool.parameters.p.default'],
    [withParameter({ enum: ['a', 1] }), 'tools.tool.parameters.p.enum'],
    [withParameter({ minimum: 1 }), 'tools.tool.parameters.p.minimum'],
    [withParameter({ type: 'integer', maxLength: 1 }), 'tools.tool.parameters.p.maxLength'],
    [withParameter({ type: 'integer', minimum: 2, maximum: 1 }), 'tools.tool.parameters.p.minimum'],
    [withParameter({ type: 'integer', maximum: 1, default: 2 }), 'tools.tool.parameters.p.default'],
    [withParameter({ type: 'datetime', default: '2026-11-05' }), 'tools.tool.parameters.p.default'],
    [withParameter({ type: 'array', items: 'string' }), 'tools.tool.parameters.p.type'],
    [withParameter({ type: 'array' }), 'tools.tool.parameters.p.items'],
    [withParameter({ items: 'string' }), 'tools.tool.parameters.p.items'],
    [{ tool: { ...plain, output: { type: 'nothing' } } }, 'tools.tool.output'],
    [{ tool: { ...plain, output: { $ref: 'https://example.com/row.json' } } }, 'tools.tool.output'],
    [{ tool: { ...plain, outputs: {} } }, 'tools.tool.outputs'],
  ])('%#: %o', (declared, field) => {
    expect(fieldsOf(() => sql.config.parse({ databases, tools: declared }))).toContain(field)
  })
})

function fieldsOf(parse: () => unknown): readonly string[] {
  try {
    parse()
    return []
  } catch (error) {
    return (error as { issues: { path: PropertyKey[]; keys?: string[] }[] }).issues.flatMap(
      ({ path, keys = [''] }) => keys.map((key) => [...path, ...(key === '' ? [] : [key])].join('.')),
    )
  }
}
