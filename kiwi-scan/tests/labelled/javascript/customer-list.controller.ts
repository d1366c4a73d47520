import { BadRequestException, Controller, Get, Query } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Customer } from './customer.entity';

const SORTABLE = ['createdAt', 'email', 'lastName'];

@Controller('customers')
export class CustomerListController {
  constructor(
    @InjectRepository(Customer) private readonly customers: Repository<Customer>,
  ) {}

  @Get()
  async list(@Query('email') email: string, @Query('sort') sort = 'createdAt') {
    if (!SORTABLE.includes(sort)) {
      throw new BadRequestException('unknown sort column');
    }
    return this.customers
      .createQueryBuilder('c')
      .where('c.email LIKE :email', { email: `%${email}%` })
      .orderBy('c.' + sort, 'ASC')
      .take(50)
      .getMany();
  }
}
