import type { Command } from 'commander'
import { example, type RunLoaded } from './run-loaded.ts'

/** What operators do beside serving: definitions, records, keys and approvals. */
export function addOperating(program: Command, run: RunLoaded): void {
  addPins(program, run)
  addAudit(program, run)
  addKeys(program, run)
  addApprovals(program, run)
}

function addPins(program: Command, run: RunLoaded): void {
  const load = async () => {
    const [{ createPinCommands }, { openPinStore }] = await Promise.all([
      import('./commands/pins.ts'),
      import('./open-pin-store.ts'),
    ])
    return createPinCommands(openPinStore)
  }
  const pins = program
    .command('pins')
    .description('list the definitions of upstreams that are approved, and those that wait for it')
    .argument('[connection]', 'only those of this one')
    .addHelpText('after', example('weir pins', 'weir pins diff mail:send', 'weir pins approve mail:send'))
    .action(run(async () => (await load()).list))
  pins
    .command('diff')
    .description('show what a definition that waits differs in from the approved one')
    .argument('<id>', 'the definition, as `weir pins` lists it')
    .addHelpText('after', example('weir pins diff mail:send', 'weir pins diff prompt:mail:draft --json'))
    .action(run(async () => (await load()).diff))
  pins
    .command('approve')
    .description('approve what waits; a running Weir serves it within seconds')
    .argument('<id|connection>', 'one definition, or with --all everything of a connection')
    .option('--all', 'everything of the connection that waits')
    .option('--hash <hash>', 'only if its hash begins like this, as `weir pins diff` shows it')
    .addHelpText(
      'after',
      example('weir pins approve mail:send --hash q4Xc0aJr1v2E', 'weir pins approve mail --all'),
    )
    .action(run(async () => (await load()).approve))
}

function addAudit(program: Command, run: RunLoaded): void {
  const load = async () => {
    const [{ createAuditCommands }, { openAuditStore }] = await Promise.all([
      import('./commands/audit.ts'),
      import('./open-audit-store.ts'),
    ])
    return createAuditCommands(openAuditStore)
  }
  const audit = program
    .command('audit')
    .description('list who called what and how it ended, the newest first')
    .option('--tool <tool>', 'only calls of this tool; * stands for anything')
    .option('--caller <caller>', 'only calls of this caller')
    .option('--since <time>', 'only calls since then: 30m, 24h, 7d, or a date')
    .option('--limit <number>', 'how many at most (default: 50)')
    .addHelpText(
      'after',
      example('weir audit', `weir audit --tool 'mail:*' --since 24h`, 'weir audit verify'),
    )
    .action(run(async () => (await load()).list))
  audit
    .command('verify')
    .description('check that no record was changed, removed, moved or put in')
    .option('--head <hash>', 'check too that this hash, which was kept elsewhere, is still there')
    .addHelpText('after', example('weir audit verify', 'weir audit verify --json'))
    .action(run(async () => (await load()).verify))
  audit
    .command('export')
    .description('write all records to stdout, the oldest first')
    .option('--format <format>', 'jsonl (default) or ocsf: API Activity, class 6003')
    .option('--since <time>', 'only records since then: 30m, 24h, 7d, or a date')
    .addHelpText(
      'after',
      example('weir audit export > audit.jsonl', 'weir audit export --format ocsf --since 1d'),
    )
    .action(run(async () => (await load()).export))
}

function addKeys(program: Command, run: RunLoaded): void {
  const load = async () => {
    const [{ createKeyCommands }, { openKeyStore }] = await Promise.all([
      import('./commands/keys.ts'),
      import('./open-key-store.ts'),
    ])
    return createKeyCommands(openKeyStore)
  }
  const keys = program
    .command('keys')
    .description('list the keys by which programs prove who they are')
    .addHelpText('after', example('weir keys', 'weir keys create nightly --role analyst'))
    .action(run(async () => (await load()).list))
  keys
    .command('create')
    .description('make a key; it is shown once, and only its hash is kept')
    .argument('<name>', 'what it is for, of a-z, 0-9 and -')
    .requiredOption('--role <roles>', 'its role, or several with commas between')
    .option('--tenant <tenant>', 'the realm of its caller (default: default)')
    .addHelpText(
      'after',
      example('weir keys create nightly --role analyst', 'weir keys create ci --role reader,writer --json'),
    )
    .action(run(async () => (await load()).create))
  keys
    .command('rotate')
    .description('make a new secret for a key; the old one holds for 24 hours more')
    .argument('<id|name>', 'the key, as `weir keys` lists it')
    .addHelpText('after', example('weir keys rotate nightly'))
    .action(run(async () => (await load()).rotate))
  keys
    .command('revoke')
    .description('end a key; a running Weir refuses it within 5 seconds')
    .argument('<id|name>', 'the key, as `weir keys` lists it')
    .addHelpText('after', example('weir keys revoke nightly'))
    .action(run(async () => (await load()).revoke))
}

function addApprovals(program: Command, run: RunLoaded): void {
  const load = () => import('./commands/approvals.ts')
  const approvals = program
    .command('approvals')
    .description('list the calls that wait for somebody to approve them')
    .option('--all', 'those that were decided or have expired, too')
    .addHelpText('after', example('weir approvals', 'weir approvals --all --json'))
    .action(run(async () => (await load()).listApprovals))
  approvals
    .command('show')
    .description('show exactly what would run')
    .argument('<id>', 'the approval, as `weir approvals` lists it')
    .addHelpText('after', example('weir approvals show 3f9c1e7a52d04b8896c0a1d2e3f40516'))
    .action(run(async () => (await load()).showApproval))
  approvals
    .command('approve')
    .description('let the call run, once')
    .argument('<id>', 'the approval, as `weir approvals` lists it')
    .addHelpText('after', example('weir approvals approve 3f9c1e7a52d04b8896c0a1d2e3f40516'))
    .action(run(async () => (await load()).approve))
  approvals
    .command('deny')
    .description('refuse the call')
    .argument('<id>', 'the approval, as `weir approvals` lists it')
    .option('--reason <text>', 'why; the caller is told')
    .addHelpText(
      'after',
      example('weir approvals deny 3f9c1e7a52d04b8896c0a1d2e3f40516 --reason "Not on a Friday."'),
    )
    .action(run(async () => (await load()).deny))
}
