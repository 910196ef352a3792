// #region nest
import 'reflect-metadata';
import { SessionModule } from '@lexigram/ai-session-nest';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { secrets } from '../src/web/secrets.ts';
import { ChatModule } from './chat.module.ts';
import { SupportModule } from './support.module.ts';

@Module({
  imports: [
    SessionModule.configure({ sessionTtl: 3_600 }, { middleware: { secrets } }),
    ChatModule,
    SupportModule,
  ],
})
class AppModule {}
// #endregion

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
console.log(await app.getUrl());
