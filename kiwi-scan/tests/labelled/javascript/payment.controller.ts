import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { PaymentService } from './payment.service';

@Controller('payments')
export class PaymentController {
  constructor(private readonly payments: PaymentService) {}

  @Post('callback')
  @HttpCode(204)
  async callback(@Body() body: { reference: string; state: string }) {
    const known = await this.payments.exists(body.reference);
    if (!known) {
      console.warn(`payment callback rejected: reference=${body.reference}`);
      return;
    }
    await this.payments.update(body.reference, body.state === 'paid');
  }
}
