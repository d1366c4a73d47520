import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import pino from 'pino';
import { RefundService } from './refund.service';

const logger = pino({ level: 'info' });

@Controller('refunds')
export class RefundController {
  constructor(private readonly refunds: RefundService) {}

  @Post('callback')
  @HttpCode(204)
  async callback(@Body() body: { reference: string; state: string }) {
    const known = await this.refunds.exists(body.reference);
    if (!known) {
      logger.warn({ reference: body.reference }, 'refund callback rejected');
      return;
    }
    await this.refunds.update(body.reference, body.state === 'paid');
  }
}
