//! Tests of `store` from outside.

mod audit;
mod battery;
mod crash;
mod damage;
mod fault;
mod full;
mod indexes;
mod kill;
mod make;
mod reseal;
mod restore;
mod sealed;
mod unsealed;
