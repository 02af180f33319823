import { MemoryCredentials } from '../connectors/mcp/oauth/fixtures/memory-credentials.fixture.ts'
import { auth } from './commands/auth.ts'
import { exitOf } from './exit-codes.ts'
import { createOutput } from './output.ts'

// `weir auth … --json` with a store that ends with the process.
const [configPath = '', ...words] = process.argv.slice(2)
const open = () => ({ credentials: new MemoryCredentials(), close: async () => {} })
const context = { output: createOutput(true), configPath }
process.exit(await auth(context, {}, words, open).catch((error) => exitOf(error.code)))
