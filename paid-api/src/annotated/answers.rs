//! What holds an answer, through pointers and in one another: a `Result`, something that may be missing, several answers.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, Ref, RefCell, RefMut};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::{ControlFlow, Deref};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;
use std::thread::JoinHandle;

/// What can hold an error.
pub trait Fails {
    type Ok: ?Sized;
    type Err: ?Sized;
    fn ok(&self) -> Option<&Self::Ok>;
    fn err(&self) -> Option<&Self::Err>;
}

impl<T, E> Fails for Result<T, E> {
    type Ok = T;
    type Err = E;
    #[inline(always)]
    fn ok(&self) -> Option<&T> {
        self.as_ref().ok()
    }
    #[inline(always)]
    fn err(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

impl<T: Fails> Fails for Option<T> {
    type Ok = Self;
    type Err = T::Err;
    #[inline(always)]
    fn ok(&self) -> Option<&Self> {
        self.as_ref().and_then(T::ok).map(|_| self)
    }
    #[inline(always)]
    fn err(&self) -> Option<&T::Err> {
        self.as_ref().and_then(T::err)
    }
}

impl<T: Fails> Fails for Poll<T> {
    type Ok = Self;
    type Err = T::Err;
    #[inline(always)]
    fn ok(&self) -> Option<&Self> {
        ready(self).and_then(T::ok).map(|_| self)
    }
    #[inline(always)]
    fn err(&self) -> Option<&T::Err> {
        ready(self).and_then(T::err)
    }
}

#[inline(always)]
fn ready<T>(poll: &Poll<T>) -> Option<&T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// What is there, or not, without a reason.
pub trait MayBeMissing {
    fn is_there(&self) -> bool;
}

impl<T> MayBeMissing for Option<T> {
    #[inline(always)]
    fn is_there(&self) -> bool {
        self.is_some()
    }
}

impl<T> MayBeMissing for Poll<T> {
    #[inline(always)]
    fn is_there(&self) -> bool {
        self.is_ready()
    }
}

/// What holds more answers than one, or one that is not there yet.
pub trait Several {}

impl<B, C> Several for ControlFlow<B, C> {}
impl<T> Several for JoinHandle<T> {}
impl<T: Fails> Several for [T] {}
impl<T: Fails, const N: usize> Several for [T; N] {}
impl<T: Fails> Several for Vec<T> {}
impl<T: Fails> Several for VecDeque<T> {}
impl<K, T: Fails, S> Several for HashMap<K, T, S> {}
impl<K, T: Fails> Several for BTreeMap<K, T> {}
impl<T: Fails + ?Sized> Several for Mutex<T> {}
impl<T: Fails + ?Sized> Several for RwLock<T> {}
impl<T: Fails + ?Sized> Several for RefCell<T> {}
impl<T: Fails + ?Sized> Several for Cell<T> {}
impl<T: Fails> Several for OnceCell<T> {}
impl<T: Fails> Several for OnceLock<T> {}
impl<T: Fails, A> Several for (T, A) {}
impl<T: Fails, A, B> Several for (T, A, B) {}
impl<T: Fails, A, B, C> Several for (T, A, B, C) {}
impl<T: Several> Several for Option<T> {}
impl<T: Several> Several for Poll<T> {}
impl<T: Several, E> Several for Result<T, E> {}

macro_rules! pointers {
    ($([$($parameters:tt)*] $of:ty, $pointee:ty;)*) => { $(
        impl<$($parameters)*> Fails for $of
        where
            $pointee: Fails,
        {
            type Ok = <$pointee as Fails>::Ok;
            type Err = <$pointee as Fails>::Err;
            #[inline(always)]
            fn ok(&self) -> Option<&Self::Ok> {
                (**self).ok()
            }
            #[inline(always)]
            fn err(&self) -> Option<&Self::Err> {
                (**self).err()
            }
        }

        impl<$($parameters)*> MayBeMissing for $of
        where
            $pointee: MayBeMissing,
        {
            #[inline(always)]
            fn is_there(&self) -> bool {
                (**self).is_there()
            }
        }

        impl<$($parameters)*> Several for $of where $pointee: Several {}
    )* };
}

pointers! {
    [T: ?Sized] &T, T;
    [T: ?Sized] &mut T, T;
    [T: ?Sized] Box<T>, T;
    [T: ?Sized] Rc<T>, T;
    [T: ?Sized] Arc<T>, T;
    [P: Deref] Pin<P>, P::Target;
    [T: ToOwned + ?Sized] Cow<'_, T>, T;
    [T: ?Sized] MutexGuard<'_, T>, T;
    [T: ?Sized] RwLockReadGuard<'_, T>, T;
    [T: ?Sized] RwLockWriteGuard<'_, T>, T;
    [T: ?Sized] Ref<'_, T>, T;
    [T: ?Sized] RefMut<'_, T>, T;
}
