import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { connect, type SecureSocket } from '@x/socket'
import { ftp, ftpClearCommandChannel } from '@x/starttls'
import { TestCa } from '@x-testing/test-ca'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type DaemonSetup,
  daemonSetup,
  ftpFile,
  OurFtpServer,
  type StartDaemon,
  startProftpd,
  startPureFtpd,
  startVsftpd,
} from '../src/daemons/index.ts'
import { peer, peerOfFull, run, type RunningPeer, TemporaryFolder } from '../src/index.ts'

/* AUTH TLS, and back into clear (CCC, RFC 4217 section 5): curl against a small server of ours, our client against the daemons. */

const ca = new TestCa()
const identity = ca.server('localhost')
const curl = peer('curl')
const vsftpd = peer('vsftpd')
const isRoot = process.getuid?.() === 0
const versions = ['TLSv1.2', 'TLSv1.3'] as const
const open: { destroy(): unknown }[] = []
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
})

describe.skipIf(curl === undefined)('curl --ftp-ssl-ccc against a server of ours', () => {
  const folder = new TemporaryFolder({ 'ca.pem': ca.ca })
  afterAll(() => folder.dispose())
  // little enough for a socket's buffers: curl closes behind what it sends, and where a server's tickets for TLS 1.3 reach it only then (a busy machine),
  // its kernel answers with RST and drops what has not left
  const content = randomBytes(30_000)

  // passive: curl waits for our close_notify, and sends none. active: it sends one, and waits for ours.
  it.each((['passive', 'active'] as const).flatMap((mode) => versions.map((version) => [mode, version] as const)))(
    '%s, %s: fetches and stores, its commands in clear after CCC',
    async (mode, version) => {
      const tls = { cert: identity.cert, key: identity.key, minVersion: version, maxVersion: version }
      await using server = await OurFtpServer.start(tls, { waitForPeer: mode === 'active' })
      server.files.set('file', content)
      const curled = async (...args: readonly string[]): Promise<void> => {
        const where = ['--ssl-reqd', '--ftp-ssl-ccc', '--ftp-ssl-ccc-mode', mode, '--cacert', folder.file('ca.pem')]
        const result = await run(curl as string, ['-sS', ...where, '--user', 'me:secret', ...args])
        expect([result.code, result.stderr]).toEqual([0, ''])
      }
      await curled('-o', folder.file('fetched'), `ftp://localhost:${server.port}/file`)
      expect(readFileSync(folder.file('fetched')).equals(content)).toBe(true)
      await curled('-T', folder.file('fetched'), `ftp://localhost:${server.port}/stored`)
      expect(server.files.get('stored')?.equals(content)).toBe(true)
      expect(server.commands).toContain('secure PASS')
      expect(server.commands.filter((command) => / (?:RETR|STOR|EPSV)$/.test(command))).toEqual([
        'plain EPSV',
        'plain RETR',
        'plain EPSV',
        'plain STOR',
      ])
    },
  )
})

/** One reply (RFC 959, 4.2), read byte by byte, so that nothing behind it is taken. */
async function reply(control: Duplex): Promise<string> {
  for (let line = ''; ; ) {
    const byte = control.read(1) as Buffer | null
    if (byte === null) await new Promise((resolve) => control.once('readable', resolve))
    else line += byte.toString('latin1')
    if (!line.endsWith('\n')) continue
    if (/^\d{3} /.test(line)) return line.trim()
    line = ''
  }
}

async function say(control: Duplex, command: string, expected: string): Promise<string> {
  control.write(`${command}\r\n`)
  const answer = await reply(control)
  expect(answer, command).toMatch(new RegExp(`^${expected} `))
  return answer
}

async function login(port: number, options: object, user: readonly string[]): Promise<SecureSocket> {
  const control = await connect({ host: 'localhost', port, ca: ca.ca, starttls: ftp, stoppable: true, ...options })
  open.push(control.on('error', () => undefined))
  const [name = '', password] = user
  await say(control, `USER ${name}`, password === undefined ? '230' : '331')
  if (password !== undefined) await say(control, `PASS ${password}`, '230')
  await say(control, 'PBSZ 0', '200')
  await say(control, 'PROT P', '200')
  await say(control, 'TYPE I', '200')
  return control
}

/** A transfer over TLS, asked for on a control connection in whatever state. */
async function transfer(control: Duplex, command: string): Promise<string> {
  const passive = await say(control, 'EPSV', '229')
  const port = Number(/\|\|\|(\d+)\|/.exec(passive)?.[1])
  const connecting = connect({ host: 'localhost', port, ca: ca.ca })
  await say(control, command, '150')
  const data = await connecting
  open.push(data.on('error', () => undefined))
  let content = ''
  for await (const chunk of data as AsyncIterable<Buffer>) content += chunk.toString()
  expect(await reply(control)).toMatch(/^226 /)
  return content
}

const daemons: readonly (readonly [
  name: string,
  program: string | undefined,
  start: StartDaemon,
  user: readonly string[],
])[] = [
  ['proftpd', peerOfFull('proftpd'), startProftpd, ['me', 'secret']],
  ['pure-ftpd', peerOfFull('pure-ftpd'), startPureFtpd, ['anonymous']],
]

describe.each(daemons.filter(([, program]) => program !== undefined && isRoot))('our client and %s', (...daemon) => {
  const [name, program, start, user] = daemon
  let setup: DaemonSetup
  let running: RunningPeer
  beforeAll(async () => {
    setup = daemonSetup(identity)
    running = await start(program as string, setup)
  })
  afterAll(async () => {
    await running?.stop()
    setup.folder.dispose()
  })
  const list = async (control: Duplex): Promise<void> => {
    if (name === 'proftpd') expect(await transfer(control, `RETR ${ftpFile.name}`)).toBe(ftpFile.content)
    else await transfer(control, 'LIST')
  }

  it.each(
    versions.flatMap((version) =>
      ([{}, { waitForPeer: false }, { detach: true }] as const).map((stop) => [version, stop] as const),
    ),
  )('%s, stopTls(%j): logs in over TLS, goes on in clear, with protected data', async (version, stop) => {
    const control = await login(running.port, { minVersion: version, maxVersion: version }, user)
    await list(control)
    await ftpClearCommandChannel(control)
    const plain = await control.stopTls(stop)
    open.push(plain)
    expect('phase' in plain ? plain.phase : 'detached').toBe('detach' in stop ? 'detached' : 'plain')
    expect(plain === control).toBe(!('detach' in stop))
    if ('waitForPeer' in stop) {
      // its own close_notify may stand before the answer: who does not wait has to read over it
      plain.write('NOOP\r\n')
      let text = ''
      while (!/200 [^\n]*\n/.test(text)) {
        const chunk = plain.read() as Buffer | null
        if (chunk === null) await new Promise((resolve) => plain.once('readable', resolve))
        else text += chunk.toString('latin1')
      }
      return
    }
    await say(plain, 'PWD', '257')
    await list(plain)
    await say(plain, 'QUIT', '221')
  })
})

describe.skipIf(vsftpd === undefined || !isRoot)('our client and vsftpd, which knows no CCC', () => {
  it('is told so, and stays secure', async () => {
    const setup = daemonSetup(identity)
    await using running = await startVsftpd(vsftpd as string, setup)
    const control = await login(running.port, {}, ['anonymous'])
    await expect(ftpClearCommandChannel(control)).rejects.toMatchObject({ code: 'ERR_STARTTLS_REFUSED' })
    expect(control.phase).toBe('secure')
    expect(await transfer(control, `RETR ${ftpFile.name}`)).toBe(ftpFile.content)
    control.destroy()
    await running.stop()
    setup.folder.dispose()
  })
})
