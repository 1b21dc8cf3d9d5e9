import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { loadCaStore, nameHash, setDefaultCaStore } from '@x/ca-store'
import { CertificateView } from '@x/der/x509'
import { type Authority, createAuthority, type IssuedIdentity } from '@x/utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connect, type ConnectOptions, listen } from '../src/index.ts'
import { rejection, scratch, tlsServer } from './support.ts'

const DAY = 86_400_000
const root = createAuthority('trust root')
const intermediate = root.issue({ ca: true })
const leaf = intermediate.issue('localhost')
const past = { notBefore: Date.now() - 9 * DAY, notAfter: Date.now() - DAY }

const { folder, file } = scratch()
function directory(of: Authority): string {
  const path = mkdtempSync(join(folder, 'hashed-'))
  writeFileSync(join(path, `${nameHash(new CertificateView(of.raw).subject)}.0`), of.certificate.toString())
  return path
}

interface Trusted {
  readonly length: number
  readonly anchor: string
}

/** How long the path is and where its anchor came from, or the code of the refusal. */
async function trusted(
  options: ConnectOptions,
  served: { cert: string; key: string } = leaf,
): Promise<Trusted | string> {
  await using server = await tlsServer({ cert: served.cert, key: served.key })
  try {
    const socket = await connect({ host: 'localhost', port: server.port, ...options })
    socket.destroy()
    const { chain } = socket.verification?.outcomes ?? expect.unreachable()
    if (chain.result !== 'passed') return chain.result
    return { length: chain.evidence.path.length, anchor: chain.evidence.anchor }
  } catch (error) {
    return (error as { code: string }).code
  }
}

const local = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
const option = "option 'ca'"
const pem = ({ certificate }: IssuedIdentity): string => certificate.toString()

describe('the path ends at what is given as CA', () => {
  it.each<[string, ConnectOptions, Trusted | string]>([
    ['the root', { ca: root.ca }, { length: 3, anchor: option }],
    ['an intermediate', { ca: pem(intermediate) }, { length: 2, anchor: option }],
    ['the leaf', { ca: pem(leaf) }, { length: 1, anchor: option }],
    ['an object', { ca: intermediate.certificate }, { length: 2, anchor: option }],
    ['DER', { ca: intermediate.raw }, { length: 2, anchor: option }],
    ['a list', { ca: [createAuthority('x').raw, root.certificate, pem(root)] }, { length: 3, anchor: option }],
    ['a bundle', { ca: createAuthority('x').ca + root.ca }, { length: 3, anchor: option }],
    [
      'an intermediate, where that is not wanted',
      { ca: pem(intermediate), allowPartialTrustChain: false },
      'UNABLE_TO_GET_ISSUER_CERT',
    ],
    ['the leaf, where that is not wanted', { ca: pem(leaf), allowPartialTrustChain: false }, local],
    ['nothing', { ca: [] }, local],
    ['another CA', { ca: createAuthority('x').ca }, local],
    ['another CA of the same name', { ca: createAuthority('trust root').ca }, local],
    ['an unrelated leaf', { ca: pem(root.issue('localhost')) }, local],
  ])('%s', async (_what, options, expected) => {
    expect(await trusted(options)).toEqual(expected)
  })

  it('the leaf without its intermediate, which is trusted', async () => {
    const alone = { cert: pem(leaf), key: leaf.key }
    expect(await trusted({ ca: pem(intermediate) }, alone)).toEqual({ length: 2, anchor: option })
    expect(await trusted({ ca: root.ca }, alone)).toMatch(/^UNABLE_TO/)
  })

  it('what is trusted must be valid all the same', async () => {
    const expired = root.issue({ names: 'localhost', ...past })
    expect(await trusted({ ca: pem(expired) }, expired)).toBe('CERT_HAS_EXPIRED')
    const client = root.issue({ names: 'localhost', purpose: 'client' })
    expect(await trusted({ ca: root.ca }, client)).toBe('INVALID_PURPOSE')
    expect(await trusted({ ca: pem(leaf), verify: { name: 'other.example.org' } })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    // a certificate that is no CA and still signs
    const signer = root.issue('not a CA')
    const forged = createAuthority('x').issue({ names: 'localhost', issuer: signer } as object)
    expect(await trusted({ ca: root.ca }, { cert: forged.cert + pem(signer), key: forged.key })).toMatch(/^[A-Z]/)
  })
})

describe('sources', () => {
  const [one, two, three] = [createAuthority('one'), createAuthority('two'), createAuthority('three')]
  const four = createAuthority('four')
  const of = (authority: Authority): IssuedIdentity => authority.issue('localhost')

  it('are added together, and tell which of them it was', async () => {
    const caFile = file(two.ca)
    const caPath = directory(three)
    const options = { ca: one.ca, caFile, caPath, caStore: loadCaStore({ certificates: four.ca }) }
    expect(await trusted(options, of(one))).toEqual({ length: 2, anchor: option })
    expect(await trusted(options, of(two))).toEqual({ length: 2, anchor: caFile })
    expect(await trusted(options, of(three))).toMatchObject({ length: 2, anchor: expect.stringContaining(caPath) })
    expect(await trusted(options, of(four))).toMatchObject({ length: 2 })
    expect(await trusted(options)).toBe(local)
    expect(await trusted({ ca: [], caFile }, of(two))).toEqual({ length: 2, anchor: caFile })
    expect(await trusted({ ca: [], caFile }, of(one))).toBe(local)
  })

  it('several directories', async () => {
    const caPath = [directory(one), directory(two)].join(delimiter)
    expect(await trusted({ caPath }, of(one))).toMatchObject({ length: 2 })
    expect(await trusted({ caPath }, of(two))).toMatchObject({ length: 2 })
    expect(await trusted({ caPath }, of(three))).toBe(local)
  })

  it('a file that was replaced is read again', async () => {
    const caFile = file(one.ca)
    expect(await trusted({ caFile }, of(one))).toMatchObject({ length: 2 })
    renameSync(file(two.ca), caFile)
    expect(await trusted({ caFile }, of(one))).toBe(local)
    expect(await trusted({ caFile }, of(two))).toMatchObject({ length: 2 })
  })

  it.each<[string, ConnectOptions, string | RegExp]>([
    ['a file that is not there', { caFile: join(folder, 'none') }, 'ENOENT'],
    ['a directory that is not there', { caPath: join(folder, 'none') }, 'ENOENT'],
    ['a file without a certificate', { caFile: file('none') }, /^ERR_CA_/],
    ['a text without a certificate', { ca: 'none' }, /^ERR_CA_/],
    ['a file that is a directory', { caFile: folder }, /^E/],
  ])('%s is refused before anything is sent', async (_what, options, code) => {
    expect((await rejection(connect({ host: 'localhost', port: 1, ...options })))['code']).toMatch(code)
  })
})

describe('without any of them', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    setDefaultCaStore(undefined)
  })

  it('the default store counts, and nothing else once something is given', async () => {
    setDefaultCaStore({ certificates: root.ca })
    expect(await trusted({})).toMatchObject({ length: 3 })
    expect(await trusted({ ca: createAuthority('x').ca })).toBe(local)
    expect(await trusted({ ca: [] })).toBe(local)
    setDefaultCaStore({ certificates: createAuthority('x').ca })
    expect(await trusted({})).toBe(local)
  })

  it.each([
    ['SSL_CERT_FILE', 'none.pem'],
    ['SSL_CERT_DIR', 'none'],
  ])('%s that cannot be used is an error, not a step to the next source', async (name, value) => {
    vi.stubEnv(name, join(folder, value))
    setDefaultCaStore(undefined)
    expect(await rejection(connect({ host: 'localhost', port: 1 }))).toMatchObject({ code: 'ERR_CA_ENVIRONMENT' })
  })

  it('this machine’s CAs do not know ours', async () => {
    expect(await trusted({})).toBe(local)
  })
})

describe('switching off', () => {
  const WARNED = Symbol.for('@x/socket:unverified')

  it('NODE_TLS_REJECT_UNAUTHORIZED does not', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    expect(await trusted({ ca: [] })).toBe(local)
    expect(await trusted({ ca: root.ca, verify: { name: 'other.example.org' } })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    vi.unstubAllEnvs()
  })

  it('rejectUnauthorized: false does, says so once, and nobody is authorized by it', async () => {
    Reflect.deleteProperty(globalThis, WARNED)
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined)
    await using server = await tlsServer({ cert: leaf.cert, key: leaf.key })
    for (let at = 0; at < 3; at++) {
      const socket = await connect({
        host: 'other.example.org',
        lookup: toLoopback,
        port: server.port,
        ca: [],
        rejectUnauthorized: false,
      })
      expect(socket).toMatchObject({ authorized: false, authorizationError: local, encrypted: true })
      expect(socket.verification?.outcomes.chain).toMatchObject({
        result: 'waived',
        waiver: { option: 'rejectUnauthorized' },
      })
      socket.destroy()
    }
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining('rejectUnauthorized'), expect.objectContaining({ type: 'SecurityWarning' })],
    ])
    warn.mockRestore()
  })

  it.each([0, 'false', null, '', Number.NaN, {}])('nothing but false does: %j', async (value) => {
    expect(
      await rejection(connect({ host: 'localhost', port: 1, rejectUnauthorized: value as unknown as boolean })),
    ).toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    })
  })

  function toLoopback(
    _host: string,
    _options: object,
    done: (error: null, addresses: { address: string; family: number }[]) => void,
  ): void {
    done(null, [{ address: '127.0.0.1', family: 4 }])
  }
})

it('a server trusts for clients what it is given for them', async () => {
  const server = await listen({
    host: '127.0.0.1',
    port: 0,
    cert: leaf.cert,
    key: leaf.key,
    requestCert: true,
    ca: pem(intermediate),
  })
  const { port } = server.address() as { port: number }
  const visit = async (identity: IssuedIdentity): Promise<string> => {
    const outcome = new Promise<string>((resolve) => {
      server.once('connection', (socket) => {
        resolve(socket.authorized ? 'authorized' : 'let pass')
        socket.destroy()
      })
      server.once('tlsClientError', (error) => resolve((error as { code?: string }).code ?? ''))
    })
    const socket = await connect({ host: 'localhost', port, ca: root.ca, cert: identity.cert, key: identity.key })
    const answer = await outcome
    socket.destroy()
    server.removeAllListeners('connection').removeAllListeners('tlsClientError')
    return answer
  }
  expect(await visit(intermediate.issue({ names: 'client', purpose: 'client' }))).toBe('authorized')
  expect(await visit(root.issue({ names: 'client', purpose: 'client' }))).toMatch(/^(UNABLE_TO|SELF_SIGNED)/)
  expect(await visit(intermediate.issue({ names: 'client', purpose: 'server' }))).toBe('INVALID_PURPOSE')
  await server.close()
})
