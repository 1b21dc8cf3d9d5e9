// FTP over TLS whose command channel goes back to clear text (CCC, RFC 4217 section 5), for a firewall that must read PORT and PASV.
// The password has been sent over TLS by then. What follows on the command channel can be read and altered.
import { connect, listen, type SecureSocket } from '@x/socket'
import { ftp, ftpClearCommandChannel } from '@x/starttls'
import { createAuthority } from '@x/utils'

const authority = createAuthority('Example CA')
const { cert, key } = authority.issue('ftp.example')

/** Stands for the FTP server: just enough of it. */
async function serve(socket: SecureSocket): Promise<void> {
  socket.write('220 ftp.example\r\n')
  for await (const line of socket.lines()) {
    const [command = ''] = line.toString().trim().split(' ')
    const where = socket.phase === 'secure' ? 'over TLS' : 'in clear'
    if (command === 'AUTH') {
      socket.write('234 go ahead\r\n')
      await socket.startTls({ stoppable: true })
    } else if (command === 'CCC') {
      socket.write('200 back to clear\r\n')
      await socket.stopTls()
    } else socket.write(`200 ${command} ${where}\r\n`)
  }
}
const server = await listen({ host: '127.0.0.1', port: 0, cert, key, startHandshake: false })
server.on('connection', (socket) => {
  serve(socket).catch((error: unknown) => socket.destroy(error as Error))
})
const { port } = server.address() as { port: number }

async function say(command: string): Promise<void> {
  socket.write(`${command}\r\n`)
  console.log(command, '->', String(await socket.readLine()).trim())
}
const socket = await connect({
  host: '127.0.0.1',
  port,
  servername: 'ftp.example',
  ca: authority.ca,
  verify: { scheme: 'ftp' },
  starttls: ftp, // greeting, AUTH TLS
  stoppable: true, // TLS on this connection can be ended again; node:tls alone could not
})
for (const command of ['USER me', 'PASS secret', 'PBSZ 0', 'PROT P']) await say(command)
await ftpClearCommandChannel(socket)
await socket.stopTls() // resolves when both sides have said that no more data comes over TLS
await say('PASV')

socket.resume().end()
await server.close()
