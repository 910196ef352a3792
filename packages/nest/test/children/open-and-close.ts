import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SessionModule } from '../../src/index.ts';

// Opens an application, asks it, closes it, and ends by itself if nothing is left open: it must not be told to.
const adapter = process.argv[2] === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const secrets = ['a key for tests, of thirty-two bytes or more'];

class AppModule {}
Module({
  imports: [
    SessionModule.configure({ cleanupIntervalS: 1 }, { middleware: { secrets } }),
    SessionModule.configure({}, { name: 'support' }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule, adapter, { logger: false });
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
const answer = await fetch(`http://127.0.0.1:${port}/nothing`, {
  headers: { connection: 'close' },
});
await answer.text();
await app.close();
process.stdout.write(`closed ${answer.status}\n`);
