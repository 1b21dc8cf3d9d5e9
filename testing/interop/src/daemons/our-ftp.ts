import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { listen, type ListenOptions, type SecureServer, type SecureSocket, type StopTlsOptions } from '@x/socket'

interface Session {
  data: SecureServer | undefined
  connection: Promise<[SecureSocket]> | undefined
}

/**
 * A small FTP server on `listen`, `startTls` and `stopTls`: explicit TLS, protected passive data connections, CCC; one folder in memory.
 */
export class OurFtpServer implements AsyncDisposable {
  readonly files: Map<string, Buffer> = new Map()
  /** Every command, after how it came: `secure USER`, `plain EPSV`. */
  readonly commands: string[] = []
  readonly #control: SecureServer
  readonly #tls: ListenOptions
  readonly #stop: StopTlsOptions

  private constructor(control: SecureServer, tls: ListenOptions, stop: StopTlsOptions) {
    this.#control = control
    this.#tls = tls
    this.#stop = stop
    control.on('connection', (socket) => {
      this.#serve(socket.on('error', () => undefined)).catch(() => socket.destroy())
    })
  }

  /** `stop`: how TLS is ended after CCC. */
  static async start(tls: ListenOptions, stop: StopTlsOptions = {}): Promise<OurFtpServer> {
    const options = { ...tls, host: '127.0.0.1', port: 0 }
    const control = await listen({ ...options, startHandshake: false, stoppable: true })
    // the end of the connection is the end of the file (RFC 959 section 3.4)
    return new OurFtpServer(control, { ...options, truncation: 'refuse' }, stop)
  }

  get port(): number {
    return (this.#control.address() as AddressInfo).port
  }

  async #serve(socket: SecureSocket): Promise<void> {
    const session: Session = { data: undefined, connection: undefined }
    socket.write('220 ready\r\n')
    try {
      for (;;) {
        const line = await socket.readLine()
        if (line === undefined) return
        const [word = '', argument = ''] = line.toString().trim().split(' ', 2)
        this.commands.push(`${socket.phase} ${word}`)
        await this.#answer(socket, session, word, argument)
      }
    } finally {
      await session.data?.close()
    }
  }

  async #answer(socket: SecureSocket, session: Session, word: string, argument: string): Promise<void> {
    const say = (text: string): void => void socket.write(`${text}\r\n`)
    const file = this.files.get(argument.replace(/^\//, ''))
    switch (word) {
      case 'AUTH':
        if (argument !== 'TLS') return say('504 TLS only')
        say('234 begin')
        await socket.startTls()
        return
      case 'CCC':
        say('200 in clear from here')
        await socket.stopTls(this.#stop)
        return
      case 'USER':
        return say(socket.phase === 'secure' ? '331 password' : '530 not in clear')
      case 'PASS':
        return say(argument === 'secret' ? '230 welcome' : '530 no')
      case 'EPSV': {
        await session.data?.close()
        session.data = await listen(this.#tls)
        // a client may shake hands before it asks, or after
        session.connection = once(session.data, 'connection') as Promise<[SecureSocket]>
        return say(`229 here (|||${(session.data.address() as AddressInfo).port}|)`)
      }
      case 'SIZE':
        return say(file === undefined ? '550 no such file' : `213 ${file.length}`)
      case 'RETR':
      case 'STOR':
        return await this.#transfer(say, session, word, argument.replace(/^\//, ''))
      case 'PWD':
        return say('257 "/" is where you are')
      case 'QUIT':
        say('221 bye')
        socket.end()
        return
      default:
        return say('200 fine')
    }
  }

  async #transfer(say: (text: string) => void, session: Session, word: 'RETR' | 'STOR', name: string): Promise<void> {
    const content = this.files.get(name)
    if (session.connection === undefined || (word === 'RETR' && content === undefined)) return say('550 no')
    say('150 coming')
    const [connection] = await session.connection
    connection.on('error', () => undefined)
    if (word === 'RETR') {
      connection.resume().end(content ?? '')
      await once(connection, 'end')
    } else {
      const chunks: Buffer[] = []
      for await (const chunk of connection as AsyncIterable<Buffer>) chunks.push(chunk)
      this.files.set(name, Buffer.concat(chunks))
    }
    say('226 done')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control[Symbol.asyncDispose]()
  }
}
