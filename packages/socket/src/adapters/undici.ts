import { connect as connectTcp, type Socket } from 'node:net'
import { dial } from '../connect.ts'
import { checkShared, type SharedOptions } from './pick.ts'

/** What undici says of a connection that it wants (its `buildConnector.Options`). */
export interface ConnectorRequest {
  readonly hostname: string
  readonly protocol: string
  readonly port: string
  readonly servername?: string | null
  readonly localAddress?: string | null
}

export type ConnectorCallback = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void

/**
 * `new undici.Agent({connect: connector({verify: {scheme: 'http'}})})`: connections to https are SecureSockets, and reach undici when the peer
 * is trusted. Those to http are plain ones. undici drops its own session cache with the last connection to an origin; give `sessionCache`.
 */
export function connector(
  options: SharedOptions = {},
): (request: ConnectorRequest, callback: ConnectorCallback) => void {
  checkShared(options)
  return ({ hostname, protocol, port, servername, localAddress }, callback) => {
    const local = localAddress === undefined || localAddress === null ? {} : { localAddress }
    const where = { ...local, host: hostname, port: Number(port || (protocol === 'https:' ? 443 : 80)) }
    const named = servername === undefined || servername === null || servername === '' ? {} : { servername }
    const secure = protocol === 'https:'
    const socket: Socket = secure ? dial({ ...options, ...where, ...named }) : connectTcp({ ...where, noDelay: true })
    const onReady = (): void => {
      socket.off('error', onError)
      callback(null, socket)
    }
    const onError = (error: Error): void => {
      socket.off('ready', onReady)
      callback(error, null)
    }
    socket.once('ready', onReady).once('error', onError)
  }
}
