import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SessionCache } from '@x/session-cache'
import { connect, type ConnectOptions, dial, type SecureSocket } from '@x/socket'
import { ftp } from '@x/starttls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { peer, type RunningPeer, startServer, TemporaryFolder } from '../src/index.ts'

// A server that demands session reuse wants proof that who fetches the data is who has logged in: without it, whoever connects to the data port
// first gets the file (RFC 4217, 10.5).
const vsftpd = peer('vsftpd')
const isRoot = process.getuid?.() === 0
const ca = new TestCa()
const identity = ca.server('localhost')

describe.skipIf(vsftpd === undefined || !isRoot)('FTPS with vsftpd, which demands session reuse', () => {
  const folder = new TemporaryFolder({ 'cert.pem': identity.cert, 'key.pem': identity.key })
  afterAll(() => folder.dispose())
  let server: RunningPeer
  const opened: SecureSocket[] = []

  beforeAll(() => {
    for (const name of ['empty', 'pub']) mkdirSync(folder.file(name), { mode: 0o755 })
    writeFileSync(join(folder.file('pub'), 'hello.txt'), 'hello from vsftpd\n', { mode: 0o644 })
    chmodSync(folder.path, 0o755)
  })
  beforeEach(async () => {
    server = await startServer(vsftpd as string, (port) => [folder.write('vsftpd.conf', config(port))])
  })
  afterEach(async () => {
    for (const socket of opened.splice(0)) socket.destroy()
    await server.stop()
  })

  const config = (port: number): string => `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=${port}
anonymous_enable=YES
anon_root=${folder.file('pub')}
ftp_username=daemon
no_anon_password=YES
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file=${folder.file('cert.pem')}
rsa_private_key_file=${folder.file('key.pem')}
secure_chroot_dir=${folder.file('empty')}
seccomp_sandbox=NO
`

  /** A logged-in control connection, with protected data connections asked for. */
  async function login(options: Partial<ConnectOptions>): Promise<SecureSocket> {
    const control = await connect({ host: 'localhost', port: server.port, ca: ca.ca, starttls: ftp, ...options })
    opened.push(control)
    await say(control, 'USER anonymous', 230)
    await say(control, 'PBSZ 0', 200)
    await say(control, 'PROT P', 200)
    return control
  }

  /** One transfer: the reply at its end, and what came. */
  async function transfer(
    control: SecureSocket,
    command: string,
    options: Partial<ConnectOptions>,
  ): Promise<{ readonly code: number; readonly data: string; readonly reused: boolean }> {
    const [high = 0, low = 0] =
      (await say(control, 'PASV', 227))
        .match(/(\d+),(\d+)\)/)
        ?.slice(1)
        .map(Number) ?? []
    const data = dial({ host: 'localhost', port: high * 256 + low, ca: ca.ca, ...options })
    opened.push(data)
    const content: Buffer[] = []
    data.on('error', () => undefined).on('data', (chunk: Buffer) => content.push(chunk))
    let reused = false
    data.once('secureConnect', () => {
      reused = data.sessionReused
    })
    const closed = new Promise((resolve) => data.once('close', resolve))
    await say(control, command, 150)
    const { code } = await reply(control)
    data.end()
    await closed
    return { code, data: Buffer.concat(content).toString(), reused }
  }

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
    const limits = { minVersion: version, maxVersion: version }

    it('lets a data connection resume the session of the control connection, by its sessionKey', async () => {
      const sharing = { sessionCache: new SessionCache(), sessionKey: 'ftps', tickets: 'again', ...limits } as const
      const control = await login(sharing)
      const listing = await transfer(control, 'LIST', sharing)
      expect(listing).toMatchObject({ code: 226, reused: true, data: expect.stringContaining('hello.txt') })
      const file = await transfer(control, 'RETR hello.txt', sharing)
      expect(file).toEqual({ code: 226, reused: true, data: 'hello from vsftpd\n' })
    })

    it('refuses data to a connection that has only the same cache', async () => {
      const sharing = { sessionCache: new SessionCache(), ...limits }
      const control = await login(sharing)
      const listing = await transfer(control, 'LIST', sharing)
      expect([425, 522]).toContain(listing.code)
      expect(listing).toMatchObject({ reused: false, data: '' })
    })

    it('refuses data to a connection under another policy, which our cache gives no session', async () => {
      const sharing = { sessionCache: new SessionCache(), sessionKey: 'ftps', ...limits }
      const control = await login({ ...sharing, verify: { scheme: 'none' } })
      const listing = await transfer(control, 'LIST', sharing)
      expect([425, 522]).toContain(listing.code)
      expect(listing).toMatchObject({ reused: false, data: '' })
    })
  })
})

interface Reply {
  readonly code: number
  readonly text: string
}

/** One reply (RFC 959, 4.2). */
async function reply(control: SecureSocket): Promise<Reply> {
  for (;;) {
    const line = String(await control.readLine())
    const code = /^(\d{3}) /.exec(line)?.[1]
    if (code !== undefined) return { code: Number(code), text: line }
    if (!/^[\d ]/.test(line)) throw new TypeError(`no FTP reply: ${line}`)
  }
}

async function say(control: SecureSocket, command: string, expected: number): Promise<string> {
  control.write(`${command}\r\n`)
  const { code, text } = await reply(control)
  expect(code, `${command}: ${text}`).toBe(expected)
  return text
}
