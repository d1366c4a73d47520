import { Body, Controller, NotFoundException, Post } from '@nestjs/common';
import got from 'got';

const TARGETS = new Map<string, string>([
  ['billing', 'https://billing.internal.example.com/hooks'],
  ['crm', 'https://crm.internal.example.com/hooks'],
]);

interface SendDto {
  event: string;
  target: string;
}

@Controller('webhooks')
export class WebhookSendController {
  @Post('send')
  async send(@Body() dto: SendDto) {
    const url = TARGETS.get(dto.target);
    if (!url) {
      throw new NotFoundException();
    }
    const response = await got.post(url, { json: { event: dto.event }, throwHttpErrors: false });
    return { status: response.statusCode };
  }
}
