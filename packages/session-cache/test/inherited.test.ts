import { randomBytes } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { SessionAgent } from '../src/https.ts'
import { EncryptedSessionStore, SessionCache, sessionIdContext, trustKey } from '../src/index.ts'
import { connect, type PeerEvidence } from '../src/tls.ts'
import { connector, type UndiciTarget } from '../src/undici.ts'
import { MemoryByteStore } from './entries.ts'

const key = randomBytes(32)
const cache = new SessionCache<PeerEvidence>()
const sealed = cache.serialize({ key })
const sharing = { store: cache }
/** Nobody listens there, which is no TypeError. */
const nowhere = { host: '127.0.0.1', port: 1, servername: 'localhost' }
const accept = (): undefined => undefined
const byteStore = { store: new MemoryByteStore(), key }

/** An option, the function that takes it, a value that would weaken its answer, the options that are the caller's own, the call. */
type Call = readonly [option: string, of: string, value: unknown, own: object, run: (options: never) => unknown]

const calls: readonly Call[] = [
  ['now', 'new SessionCache', () => 0, {}, (options) => new SessionCache(options)],
  ['maxPerKey', 'new SessionCache', 1e6, {}, (options) => new SessionCache(options)],
  ['now', 'SessionCache.serialize', () => 0, { key }, (options) => cache.serialize(options)],
  ['now', 'SessionCache.deserialize', () => 0, { key }, (options) => SessionCache.deserialize(sealed, options)],
  ['now', 'new EncryptedSessionStore', () => 0, byteStore, (options) => new EncryptedSessionStore(options)],
  ['prefix', 'new EncryptedSessionStore', 'x', byteStore, (options) => new EncryptedSessionStore(options)],
  ['ca', 'connect', 'x', nowhere, async (options) => connect(options, sharing)],
  ['checkServerIdentity', 'connect', accept, nowhere, async (options) => connect(options, sharing)],
  ['rejectUnauthorized', 'connect', false, nowhere, async (options) => connect(options, sharing)],
  ['maxAge', 'connect: sharing', 1e8, sharing, async (options) => connect(nowhere, options)],
  ['tickets', 'connect: sharing', 'again', sharing, async (options) => connect(nowhere, options)],
  ['checkServerIdentity', 'new SessionAgent', accept, {}, (options) => new SessionAgent(options, sharing)],
  ['now', 'new SessionAgent: sharing', () => 0, sharing, (options) => new SessionAgent({}, options)],
  ['ca', 'SessionAgent.createConnection', 'x', nowhere, async (options) => created(options)],
  ['ca', 'connector', 'x', {}, (options) => connector(options, sharing)],
  ['now', 'connector: sharing', () => 0, sharing, (options) => connector({}, options)],
]

/** What the callback is given that node:https gives. */
async function created(options: object): Promise<unknown> {
  const agent = new SessionAgent({}, sharing)
  return new Promise((resolve) => agent.createConnection(options, resolve))
}

/** What a call ends with while an option stands in Object.prototype; it is taken away before anything else runs. */
async function outcome(run: () => unknown, polluting: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  let running: unknown
  try {
    Object.assign(Object.prototype, polluting)
    running = run()
  } catch (error) {
    return error
  } finally {
    for (const key of Object.keys(polluting)) delete (Object.prototype as Record<string, unknown>)[key]
  }
  return Promise.resolve(running).catch((error: unknown) => error)
}

function refusal(option: string): unknown {
  const message = expect.stringMatching(
    new RegExp(`\\b${option}\\b.* (is inherited|stands in Object.prototype)`),
  ) as string
  return expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
}

describe.each(calls)('an inherited option is refused: %s of %s', (option, _, value, own, run) => {
  it('from a polluted Object.prototype', async () => {
    expect(await outcome(() => run({ ...own } as never), { [option]: value })).toEqual(refusal(option))
  })

  it('from a polluted Object.prototype, which the options themselves do not have', async () => {
    const bare = Object.assign(Object.create(null) as object, own)
    expect(await outcome(() => run(bare as never), { [option]: value })).toEqual(refusal(option))
  })

  it('from a prototype of their own', async () => {
    const heir = Object.assign(Object.create({ [option]: value }) as object, own)
    expect(await outcome(() => run(heir as never))).toEqual(refusal(option))
  })

  it('and without it the call is not', async () => {
    expect(await outcome(() => run({ ...own } as never))).not.toBeInstanceOf(TypeError)
  })
})

describe('an inherited parameter is refused', () => {
  const refused = expect.objectContaining({ name: 'SessionCacheError', code: 'ERR_SESSION_PARAMETER' }) as unknown
  it.each([
    ['trustKey', trustKey],
    ['sessionIdContext', sessionIdContext],
  ])('of %s, since it would be left out', async (_, keyOf) => {
    const bare = Object.assign(Object.create(null) as object, { ca: 'x' })
    const heir = Object.assign(Object.create(bare) as Record<string, unknown>, { host: 'a' })
    expect(await outcome(() => keyOf(heir))).toEqual(refused)
    expect(await outcome(() => keyOf({ tls: heir }))).toEqual(refused)
    expect(await outcome(() => keyOf({ host: 'a' }), { ca: 'x' })).toEqual(refused)
    expect(await outcome(() => keyOf({ host: 'a' }))).toBe(keyOf({ host: 'a' }))
  })
})

describe('what is polluted after a helper was made', () => {
  it('is refused with the connection: connector', async () => {
    const make = connector({}, sharing)
    const target: UndiciTarget = { hostname: '127.0.0.1', protocol: 'https:', port: '1', servername: 'localhost' }
    const run = async (): Promise<unknown> => new Promise((resolve) => make(target, (...[error]) => resolve(error)))
    expect(await outcome(run, { checkServerIdentity: accept })).toEqual(refusal('checkServerIdentity'))
  })

  it('is refused with the connection, and not where Node asks for a name: SessionAgent', async () => {
    const agent = new SessionAgent({}, sharing)
    const run = async (): Promise<unknown> => new Promise((resolve) => agent.createConnection(nowhere, resolve))
    expect(await outcome(run, { ca: 'x' })).toEqual(refusal('ca'))
    expect(await outcome(() => agent.getName(nowhere), { requestCert: true })).toBe(agent.getName(nowhere))
  })
})

describe.each(calls)('a member of a class is refused: %s of %s', (option, _, value, own, run) => {
  class Getting {
    get [option](): unknown {
      return value
    }
  }
  class Doing {
    [option](): unknown {
      return value
    }
  }
  class Heir extends Doing {}
  it.each([
    ['a getter', Getting],
    ['a method', Doing],
    ['a method of the class above', Heir],
  ])('%s', async (_kind, Options) => {
    expect(await outcome(() => run(Object.assign(new Options(), own) as never))).toEqual(refusal(option))
  })

  it('and without one the call is not, nor with options of another realm', async () => {
    class Own {
      [option] = undefined
    }
    for (const options of [new Own(), Object.create(null) as object, runInNewContext('({})') as object])
      expect(await outcome(() => run(Object.assign(options, own) as never))).not.toEqual(refusal(String.raw`\w+`))
  })
})
