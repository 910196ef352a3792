import { Readable } from 'node:stream';
import { CurrentSession } from '@lexigram/ai-session-nest';
import type { AiSession } from '@lexigram/ai-session-web';
import { Body, Controller, HttpCode, Module, Post, StreamableFile } from '@nestjs/common';
import { recordAnswer } from '../src/web/record-answer.ts';

// #region nest-chat
@Controller('chat')
class ChatController {
  @Post()
  @HttpCode(200)
  async chat(@CurrentSession() aiSession: AiSession, @Body() { said }: { said: string }) {
    await aiSession.getOrCreate(); // before the answer begins, so that its cookie goes along
    return new StreamableFile(Readable.from(recordAnswer(aiSession, said)), { type: 'text/plain' });
  }
}
// #endregion

@Module({ controllers: [ChatController] })
export class ChatModule {}
