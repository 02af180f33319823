import { WeirError } from '../../../core/error.ts'
import type { MySqlSession } from './mysql-session.ts'

/** Privileges on everything that reach the server's files, its settings, its other users and their sessions. */
const reaching =
  /\b(?:ALL PRIVILEGES|FILE|SUPER|SHUTDOWN|RELOAD|CREATE USER|SET USER|SYSTEM_USER|ROLE_ADMIN|CONNECTION[ _]ADMIN|BINLOG[ _]ADMIN|READ_ONLY ADMIN|FEDERATED ADMIN|REPLICATION (?:CLIENT|SLAVE|SLAVE ADMIN|MASTER ADMIN)|SYSTEM_VARIABLES_ADMIN|CREATE TABLESPACE)\b/
const rolesMax = 50

/**
 * Refuses a login that could leave its database (S11). The server itself tells what it may do, and what its roles may,
 * which a statement could take on. A read-only transaction does not keep FILE from reading and writing files.
 */
export async function checkGrants(session: MySqlSession, alias: string, user: string): Promise<void> {
  const pending: (string | undefined)[] = [undefined]
  const seen = new Set<string | undefined>(pending)
  for (const role of pending) {
    for (const grant of await grantsOf(session, role)) {
      const excess = excessOf(grant)
      if (excess !== undefined) throw tooPowerful(alias, user, excess)
      const granted = roleOf(grant)
      if (granted === undefined || seen.has(granted) || pending.length === rolesMax) continue
      seen.add(granted)
      pending.push(granted)
    }
  }
}

/** MariaDB shows what a role may do only to those who have taken it on; the session is reset before it is used. */
async function grantsOf(session: MySqlSession, role: string | undefined): Promise<readonly string[]> {
  if (role !== undefined && session.isMariaDb) await session.run(`SET ROLE ${role}`)
  const using = role === undefined || session.isMariaDb ? '' : ` FOR CURRENT_USER() USING ${role}`
  return (await session.run(`SHOW GRANTS${using}`)).map(([grant]) => String(grant))
}

/** Privileges on the tables that hold everybody's privileges count as well. */
function excessOf(grant: string): string | undefined {
  const [, privileges = '', scope = ''] = /^GRANT (.+?) ON (\S+) TO /.exec(grant) ?? []
  if (scope === '*.*') return reaching.exec(privileges)?.[0]
  const writes = /\b(?:ALL PRIVILEGES|INSERT|UPDATE|DELETE|ALTER|DROP)\b/.test(privileges)
  return writes && /^`mysql`\./.test(scope) ? 'writing to the database mysql' : undefined
}

/** As the server quotes it; names of roles come from the server, never from a caller. */
function roleOf(grant: string): string | undefined {
  return /^GRANT (`(?:[^`]|``)+`(?:@`(?:[^`]|``)*`)?) TO /.exec(grant)?.[1]
}

function tooPowerful(alias: string, user: string, excess: string): WeirError {
  return new WeirError(
    'DATABASE_UNAVAILABLE',
    `Database ${alias} is not used, because its user ${user} may do more than use a database: ${excess}.`,
    {
      hint: "Ask the operator for a user of less rights (CREATE USER weir_reader IDENTIFIED BY '…'; GRANT SELECT, SHOW VIEW ON app.* TO weir_reader;) or to set `allowAdminRole: true`.",
      data: { sent: false },
    },
  )
}
