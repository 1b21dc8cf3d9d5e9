import { randomBytes } from 'node:crypto'
import { type Call, describeInheritedOptions, outcome, refusal } from '@x-testing/inherited'
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

describeInheritedOptions(calls)

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
