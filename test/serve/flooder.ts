// A worker thread that sends many requests without the last byte of their bodies. Posts their
// responses once each has sent its data, and keeps the connections open.
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface Flood {
  port: number;
  connections: number;
  head: string;
  body: Uint8Array;
}

const { port, connections, head, body }: Flood = workerData;

function send(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let came = '';
    const done = () => setTimeout(() => resolve(came), 500);
    socket.on('data', (data) => {
      came += data;
    });
    socket.on('error', () => {});
    socket.on('close', done);
    socket.write(head);
    socket.write(body, done);
  });
}

parentPort?.postMessage(await Promise.all(Array.from({ length: connections }, send)));
