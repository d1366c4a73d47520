import { Controller, Get, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Customer } from './customer.entity';

@Controller('customers')
export class CustomerController {
  constructor(
    @InjectRepository(Customer) private readonly customers: Repository<Customer>,
  ) {}

  @Get('search')
  async search(@Query('email') email: string, @Query('page') page = '0') {
    const qb = this.customers.createQueryBuilder('c');
    return qb
      .where("c.email LIKE '%" + email + "%'")
      .orderBy('c.createdAt', 'DESC')
      .skip(Number(page) * 20)
      .take(20)
      .getMany();
  }
}
