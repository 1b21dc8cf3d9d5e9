export { fetchedByChromium, hasChromium, startChromium } from './chromium.ts'
export { TemporaryFolder } from './folder.ts'
export { isFullRun, peer, peerOfFull, type PeerName, perlHas, unpackedPeers } from './peers.ts'
export { type Finished, freePort, run, RunningPeer, startServer } from './process.ts'
