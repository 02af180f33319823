import { DatabaseSync } from 'node:sqlite'
import { WeirError } from '../../../core/error.ts'

/** A result beyond it would fill the disk. */
const spilledBytesMax = 256 * 1024 * 1024
/** Rows are set aside many at a time: one by one they take ten times as long. */
const pieceChars = 64 * 1024

/**
 * Takes all rows at once and gives them back one by one. They lie in a database without a name, which SQLite keeps in a file
 * of its own that nobody else sees and that is gone with it, so that memory stays flat. SQL_ERROR beyond `bytesMax`.
 */
export function spillRows(rows: Iterable<string>, bytesMax = spilledBytesMax): Iterator<string> {
  const spilled = new DatabaseSync('')
  try {
    spilled.exec(
      'pragma journal_mode = off; pragma synchronous = off; create table pieces(id integer primary key, rows text)',
    )
    fill(spilled, rows, bytesMax)
  } catch (thrown) {
    spilled.close()
    throw thrown
  }
  const back = readBack(spilled)
  return {
    next: () => back.next(),
    return() {
      if (spilled.isOpen) spilled.close()
      return { done: true, value: undefined }
    },
  }
}

/** A row is JSON in one line. */
function fill(spilled: DatabaseSync, rows: Iterable<string>, bytesMax: number): void {
  const insert = spilled.prepare('insert into pieces(rows) values (?)')
  let piece = ''
  let bytes = 0
  spilled.exec('begin')
  for (const row of rows) {
    bytes += Buffer.byteLength(row)
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    piece += piece === '' ? row : `\n${row}`
    if (piece.length < pieceChars) continue
    insert.run(piece)
    piece = ''
  }
  if (piece !== '') insert.run(piece)
  spilled.exec('commit')
}

function* readBack(spilled: DatabaseSync): Generator<string, undefined> {
  for (const { rows } of spilled.prepare('select rows from pieces order by id').iterate()) {
    yield* String(rows).split('\n')
  }
  return undefined
}

function tooLarge(bytesMax: number): WeirError {
  return new WeirError(
    'SQL_ERROR',
    `The result takes more than ${bytesMax} bytes of JSON, which is the most that is kept for fetch_rows.`,
    {
      hint: 'Ask for less, such as one range of the key after another; a database in WAL mode has no such bound.',
    },
  )
}
