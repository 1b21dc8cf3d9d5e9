import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { privateKeyToPem } from '@x/utils'
import { describe, expect, it } from 'vitest'
import { connect, type ConnectOptions } from '../src/index.ts'
import { authority, identity, rejection, scratch, tlsServer } from './support.ts'

const intermediate = authority.issue({ ca: true })
const client = intermediate.issue({ names: 'client', purpose: 'client' })
const stranger = authority.issue({ names: 'stranger', purpose: 'client' })
const encrypted = privateKeyToPem(client.privateKey, { passphrase: 'secret' })
const derKey = client.privateKey.export({ type: 'pkcs8', format: 'der' })

/** Certificate, key and CA, with the passphrase 'secret'; by `openssl pkcs12 -export -certfile identity-ca.pem`, valid for a hundred years. */
const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', name))
const pfx = fixture('identity.p12')

const { folder, file } = scratch()

/** The names of the certificates that a server is shown, leaf first. */
async function shown(options: ConnectOptions): Promise<string> {
  let seen: (subjects: string) => void = () => undefined
  const subjects = new Promise<string>((resolve) => (seen = resolve))
  await using server = await tlsServer(
    { requestCert: true, rejectUnauthorized: false, ca: authority.ca },
    (socket: TLSSocket) => {
      const chain: string[] = []
      for (let at = socket.getPeerX509Certificate(); at !== undefined && chain.length < 4; at = at.issuerCertificate)
        chain.push(/CN=(.*)$/m.exec(at.subject)?.[1] ?? '')
      seen(chain.join(' < '))
    },
  )
  const socket = await connect({ host: 'localhost', port: server.port, ca: authority.ca, ...options })
  const result = await subjects
  socket.destroy()
  return result
}

describe('our certificate and key', () => {
  const own = { cert: client.cert, key: client.key }
  const forms: readonly [string, ConnectOptions][] = [
    ['PEM', own],
    ['PEM as bytes', { cert: Buffer.from(client.cert), key: Buffer.from(client.key) }],
    ['objects', { cert: [client.certificate, intermediate.certificate], key: client.privateKey }],
    ['DER', { cert: [client.raw, intermediate.raw], key: derKey }],
    ['one PEM with both', { cert: client.cert + client.key }],
    ['the key in front of the certificate', { cert: client.key + client.cert }],
    ['files', { certFile: file(client.cert), keyFile: file(client.key) }],
    ['files in DER', { certFile: file(client.raw), keyFile: file(derKey) }],
    ['one file with both', { certFile: file(client.cert + client.key) }],
    [
      'the issuer in front',
      { cert: intermediate.certificate.toString() + client.certificate.toString(), key: client.key },
    ],
    ['an encrypted key', { cert: client.cert, key: encrypted, passphrase: 'secret' }],
    ['an encrypted key in the certificate’s file', { certFile: file(client.cert + encrypted), passphrase: 'secret' }],
    ['a passphrase function', { ...own, key: encrypted, passphrase: () => 'secret' }],
    ['an asynchronous passphrase function', { ...own, key: encrypted, passphrase: () => Promise.resolve('secret') }],
  ]
  it.each(forms)('%s', async (_what, options) => {
    expect(await shown(options)).toMatch(/^client/)
  })

  it.each<[string, ConnectOptions]>([
    ['bytes', { pfx, passphrase: 'secret' }],
    [
      'a file, told by its content',
      { certFile: join(import.meta.dirname, 'fixtures/identity.p12'), passphrase: () => 'secret' },
    ],
  ])('PKCS#12 as %s', async (_what, options) => {
    expect(await shown(options)).toMatch(/^localhost/)
  })

  it('a CA in PKCS#12 is not trusted for it', async () => {
    const ca = fixture('identity-ca.pem')
    await using server = await tlsServer({ pfx, passphrase: 'secret' })
    const options = { host: 'localhost', port: server.port, pfx, passphrase: 'secret' }
    const socket = await connect({ ...options, ca })
    socket.destroy()
    expect(await rejection(connect({ ...options, ca: [] }))).toMatchObject({ check: 'chain' })
    expect(await rejection(connect({ ...options, ca: authority.ca }))).toMatchObject({ check: 'chain' })
  })

  it('the same file with new content is another identity', async () => {
    const certFile = file(client.cert + client.key)
    expect(await shown({ certFile })).toMatch(/^client/)
    writeFileSync(certFile, stranger.cert + stranger.key)
    expect(await shown({ certFile })).toMatch(/^stranger/)
  })
})

describe('before anything is sent', () => {
  const nobody = { cert: client.cert, key: encrypted }
  const refused: readonly [string, ConnectOptions, string | RegExp][] = [
    ['another’s key', { cert: client.cert, key: stranger.key }, 'ERR_SECURE_SOCKET_CREDENTIALS'],
    [
      'the key of the intermediate behind it',
      { cert: intermediate.cert, key: client.key },
      'ERR_SECURE_SOCKET_CREDENTIALS',
    ],
    ['another’s key in a file', { certFile: file(client.cert + stranger.key) }, 'ERR_SECURE_SOCKET_CREDENTIALS'],
    [
      'a public key',
      { cert: client.cert, key: createPrivateKey(stranger.key).export({ type: 'pkcs8', format: 'pem' }) },
      'ERR_SECURE_SOCKET_CREDENTIALS',
    ],
    ['a certificate object without a key', { cert: client.certificate }, 'ERR_SECURE_SOCKET_CREDENTIALS'],
    ['a certificate without a key', { cert: client.cert }, 'ERR_SECURE_SOCKET_CREDENTIALS'],
    ['a file without a key', { certFile: file(client.cert) }, 'ERR_SECURE_SOCKET_CREDENTIALS'],
    ['a wrong passphrase', { ...nobody, passphrase: 'wrong' }, /^ERR_CERT_/],
    ['no passphrase', nobody, /^ERR_CERT_/],
    ['an empty passphrase', { ...nobody, passphrase: '' }, /^ERR_/],
    [
      'a passphrase function that throws',
      {
        ...nobody,
        passphrase: () => {
          throw Object.assign(new Error('no'), { code: 'NO' })
        },
      },
      /^(NO|ERR_CERT_)/,
    ],
    [
      'a passphrase function that rejects',
      { ...nobody, passphrase: () => Promise.reject(Object.assign(new Error('no'), { code: 'NO' })) },
      /^(NO|ERR_CERT_)/,
    ],
    [
      'a passphrase function that returns no text',
      { ...nobody, passphrase: (() => 1) as unknown as () => string },
      /^ERR_/,
    ],
    ['PKCS#12 with a wrong passphrase', { pfx, passphrase: 'wrong' }, /^ERR_CERT_/],
    ['PKCS#12 without one', { pfx }, /^ERR_CERT_/],
    ['PKCS#12 that is none', { pfx: Buffer.from('none') }, /^ERR_CERT_/],
    ['a certificate that is none', { cert: 'none', key: client.key }, /^ERR_CERT_/],
    ['no certificates', { cert: [], key: client.key }, /^ERR_/],
    ['a file that is not there', { certFile: join(folder, 'none') }, 'ENOENT'],
    ['a key file that is not there', { certFile: file(client.cert), keyFile: join(folder, 'none') }, 'ENOENT'],
    ['a directory', { certFile: folder }, 'EISDIR'],
  ]
  it.each(refused)('%s is refused', async (_what, options, code) => {
    // nobody listens on port 1: whoever gets there is told so
    const error = await rejection(connect({ host: 'localhost', port: 1, ca: authority.ca, ...options }))
    expect(error['code']).toMatch(code)
    expect(error.message).not.toContain('secret')
  })

  it('a failed passphrase is asked for again the next time', async () => {
    let asked = 0
    const passphrase = (): Promise<string> =>
      asked++ === 0 ? Promise.reject(new Error('not yet')) : Promise.resolve('secret')
    const options = { cert: client.cert, key: encrypted, passphrase }
    await rejection(connect({ host: 'localhost', port: 1, ca: authority.ca, ...options }))
    expect(await shown(options)).toMatch(/^client/)
    expect(await shown(options)).toMatch(/^client/)
    expect(asked).toBe(2)
  })
})

it('without a certificate none is shown', async () => {
  expect(await shown({})).toBe('')
  expect(identity.cert).not.toContain('PRIVATE KEY')
})
