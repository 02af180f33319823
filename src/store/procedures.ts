import { appendAudit } from './audit/append-audit.ts'
import { pruneAudit } from './audit/prune-audit.ts'

/** Runs one statement in the transaction of the procedure. */
export type RunSql = (
  sql: string,
  parameters: readonly (string | number | null)[],
) => { readonly rows: readonly unknown[]; readonly changes: number }

type Procedure = (run: RunSql, parameters: readonly string[]) => readonly unknown[]

/**
 * What has to be computed where commits are serialised, from what the database holds at that moment. A procedure runs on
 * the store's thread, in one transaction, all or none; nobody else's change comes between.
 */
export const procedures = {
  'append-audit': appendAudit,
  'prune-audit': pruneAudit,
} satisfies Readonly<Record<string, Procedure>>

/** One of them. */
export type ProcedureName = keyof typeof procedures
