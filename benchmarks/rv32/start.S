// Entry of the bare image, and the one place where costs are read.
//
// bench_call(function, a, b, c, d) calls function(a, b, c, d) and returns its result in a0 and, in
// a1, what mcycle moved by between the instruction before the call and the one after it. Under
// QEMU's -icount shift=0 mcycle counts instructions, so the cost is exact and repeatable; the price
// of the two reads and the call itself is taken off by main.c, which measures bench_empty.

    .section .start, "ax"
    .globl bench_start
bench_start:
#ifdef BENCH_GP
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
#endif
    la      sp, bench_stack_end
    la      t0, bench_bss_start
    la      t1, bench_bss_end
1:  bgeu    t0, t1, 2f
    sw      zero, 0(t0)
    addi    t0, t0, 4
    j       1b
2:  la      t0, bench_trap
    csrw    mtvec, t0
    call    main
3:  j       3b

    .align  2
bench_trap:
    csrr    a0, mcause
    csrr    a1, mepc
    call    bench_trapped
4:  j       4b

    .text
    .globl bench_call
    .align  2
bench_call:
    addi    sp, sp, -16
    sw      ra, 12(sp)
    sw      s0, 8(sp)
    mv      t0, a0
    mv      a0, a1
    mv      a1, a2
    mv      a2, a3
    mv      a3, a4
    csrr    s0, mcycle
    jalr    t0
    csrr    a1, mcycle
    sub     a1, a1, s0
    lw      ra, 12(sp)
    lw      s0, 8(sp)
    addi    sp, sp, 16
    ret

// The smallest function there is: its cost is 1, the return.
    .globl bench_empty
    .align  2
bench_empty:
    ret
