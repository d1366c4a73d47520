import { Body, Controller, Post } from '@nestjs/common';
import got from 'got';

interface WebhookDto {
  event: string;
  callbackUrl: string;
}

@Controller('webhooks')
export class WebhookTestController {
  @Post('test')
  async test(@Body() dto: WebhookDto) {
    const payload = { event: dto.event, sentAt: Date.now() };
    const target = dto.callbackUrl.trim();
    const response = await got.post(target, { json: payload, throwHttpErrors: false });
    return { status: response.statusCode, body: response.body };
  }
}
