import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadCaStore } from '@x/ca-store'
import { createAuthority } from '@x/utils'
import { peer, run, TemporaryFolder } from '../src/index.ts'

const packages = join(import.meta.dirname, '../../../packages')
const main = join(packages, 'ca-store/dist/main.js')
const curl = peer('curl')
const openssl = peer('openssl')
const python = peer('python3')

const authority = createAuthority('Interop root')
const stranger = createAuthority('Stranger')
const identity = authority.issue({ names: ['localhost', '127.0.0.1'], purpose: 'server' })
const folder = new TemporaryFolder({ 'ca.pem': authority.cert, 'other.pem': stranger.cert, 'leaf.pem': identity.cert })
let server: Server
let url: string

beforeAll(async () => {
  if (!existsSync(main))
    for (const name of ['der', 'ca-store'])
      execFileSync(process.execPath, [
        join(packages, '../node_modules/typescript/bin/tsc'),
        '-p',
        join(packages, name, 'tsconfig.build.json'),
      ])
  server = createServer({ cert: identity.cert, key: identity.key }, (_, response) => response.end('hello')).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  url = `https://localhost:${(server.address() as AddressInfo).port}/`
})

afterAll(() => {
  server.close()
  server.closeAllConnections()
  folder.dispose()
})

/** An environment in which nothing but these variables decides which CAs there are. */
function environment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: folder.path, XDG_CACHE_HOME: folder.file('cache'), ...variables }
}

async function caStorePath(variables: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await run(process.execPath, [main, '--path'], { env: environment(variables) })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trim()
}

describe.skipIf(curl === undefined)('SSL_CERT_FILE=$(ca-store --path) curl', () => {
  it.each([
    [
      'the bundle that SSL_CERT_FILE names',
      (): Record<string, string> => ({ SSL_CERT_FILE: folder.file('ca.pem') }),
      true,
    ],
    [
      'a bundle with NODE_EXTRA_CA_CERTS added, written to the cache',
      (): Record<string, string> => ({
        SSL_CERT_FILE: folder.file('other.pem'),
        NODE_EXTRA_CA_CERTS: folder.file('ca.pem'),
      }),
      true,
    ],
    ['a bundle without the CA', (): Record<string, string> => ({ SSL_CERT_FILE: folder.file('other.pem') }), false],
  ])('%s', async (_, variables, trusted) => {
    const file = await caStorePath(variables())
    const answer = await run(curl as string, ['-sS', '--max-time', '10', url], {
      env: environment({ SSL_CERT_FILE: file }),
    })
    expect(answer.stdout).toBe(trusted ? 'hello' : '')
    expect(answer.code).toBe(trusted ? 0 : 60) // 60: peer certificate cannot be authenticated
  })
})

describe('other programs take the path, too', () => {
  it.skipIf(python === undefined)('Python', async () => {
    const script = `import urllib.request,sys; sys.stdout.write(urllib.request.urlopen("${url}", timeout=10).read().decode())`
    const run1 = async (file: string): Promise<string> =>
      (await run(python as string, ['-c', script], { env: environment({ SSL_CERT_FILE: file }) })).stdout
    expect(await run1(await caStorePath({ SSL_CERT_FILE: folder.file('ca.pem') }))).toBe('hello')
    expect(await run1(await caStorePath({ SSL_CERT_FILE: folder.file('other.pem') }))).toBe('')
  })

  it('the command answers who issued a certificate', async () => {
    const env = environment({ SSL_CERT_FILE: folder.file('ca.pem') })
    expect(await run(process.execPath, [main, '--find', folder.file('leaf.pem')], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^CN=Interop root\n/),
    })
    const none = await run(process.execPath, [main, '--find', folder.file('leaf.pem')], {
      env: environment({ SSL_CERT_FILE: folder.file('other.pem') }),
    })
    expect(none.code).toBe(1)
    expect(await run(process.execPath, [main], { env: environment({ SSL_CERT_FILE: '/nowhere' }) })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('ERR_CA_ENVIRONMENT'),
    })
  })
})

describe.skipIf(openssl === undefined)('what OpenSSL writes', () => {
  it('a directory made by openssl rehash', async () => {
    const subject = { commonName: 'Größe  CA', organizationName: ' Example\tOrg ', countryName: 'DE' }
    const odd = createAuthority({ subject })
    using certs = new TemporaryFolder({ 'a.pem': authority.cert, 'b.pem': stranger.cert, 'c.pem': odd.cert })
    expect((await run(openssl as string, ['rehash', certs.path])).code).toBe(0)
    const store = loadCaStore({ path: certs.path })
    expect(store.size).toBe(3)
    expect(store.errors).toEqual([])
    for (const { issue, certificate } of [authority, stranger, odd])
      expect(store.findIssuer(issue('x.example').cert)?.fingerprint256).toBe(certificate.fingerprint256)
  })

  it.each([
    ['-addtrust', 'serverAuth', true],
    ['-addtrust', 'emailProtection', false],
    ['-addreject', 'serverAuth', false],
    ['-addreject', 'anyExtendedKeyUsage', false],
    ['-addreject', 'emailProtection', true],
  ])('trust settings: %s %s', async (option, purpose, kept) => {
    const args = ['x509', '-trustout', option, purpose, '-setalias', 'an alias', '-in', folder.file('ca.pem')]
    const { stdout } = await run(openssl as string, args)
    expect(stdout).toContain('BEGIN TRUSTED CERTIFICATE')
    const store = loadCaStore({ certificates: [stdout, stranger.cert] })
    expect(store.origin(authority.cert) !== undefined).toBe(kept)
    using trusted = new TemporaryFolder({ 'ca.pem': stdout })
    const verdict = await run(openssl as string, [
      'verify',
      '-purpose',
      'sslserver',
      '-trusted',
      trusted.file('ca.pem'),
      folder.file('leaf.pem'),
    ])
    expect(verdict.code === 0).toBe(kept)
  })
})
